//! Lists: by query string and by `.search`, of one kind and at the root (RFC 7644 §3.4.2, §3.4.3).

use latchkey_engine::directory::Listed;
use latchkey_scim::json::Json;
use latchkey_scim::list::{ListQuery, ListResponse};

use crate::failure::Failure;
use crate::reply::Reply;
use crate::route::Kind;
use crate::serve::{Call, Outcome};
use crate::show::Shown;

pub(crate) async fn list(call: &Call<'_>, kind: Kind) -> Outcome {
    let pairs = call.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    serve(call, kind, ListQuery::parse(pairs, &call.scim.limits)?).await
}

pub(crate) async fn search(call: &Call<'_>, kind: Kind, body: &Json) -> Outcome {
    serve(call, kind, ListQuery::of_body(body, &call.scim.limits)?).await
}

async fn serve(call: &Call<'_>, kind: Kind, query: ListQuery) -> Outcome {
    let limits = &call.scim.limits;
    match kind {
        Kind::User => {
            let listed = call.directory.user_list(&query, limits).await;
            one_kind(call, &query, listed.map_err(|error| call.failure(error))?)
        }
        Kind::Group => {
            let listed = call.directory.group_list(&query, limits).await;
            one_kind(call, &query, listed.map_err(|error| call.failure(error))?)
        }
        Kind::Any => {
            let both = call.directory.root_list(&query, limits).await;
            let (users, groups) = both.map_err(|error| call.failure(error))?;
            let mut out = ListResponse::new(users.total, users.start);
            push(call, &query, &mut out, &users.items)?;
            push(call, &query, &mut out, &groups.items)?;
            Ok(Reply::ok(out.finish(None)))
        }
    }
}

fn one_kind<T: Shown>(call: &Call<'_>, query: &ListQuery, listed: Listed<T>) -> Outcome {
    let mut out = ListResponse::new(listed.total, listed.start);
    push(call, query, &mut out, &listed.items)?;
    Ok(Reply::ok(out.finish(listed.next_cursor.as_deref())))
}

fn push<T: Shown>(
    call: &Call<'_>,
    query: &ListQuery,
    out: &mut ListResponse,
    items: &[T],
) -> Result<(), Failure> {
    for item in items {
        out.push_with(|out| item.write(out, &call.scim.base, &query.projection))
            .map_err(|error| call.failure(error))?;
    }
    Ok(())
}
