//! Many statements sent together, in order, on one connection.
//!
//! The driver sends a statement when its future is first polled. So all are polled once, in order,
//! before any answer is awaited: they leave together, whole or (if the caller goes away before) not
//! at all, and a COMMIT is never left out after what it commits.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

use futures_util::future::{FutureExt as _, MaybeDone, maybe_done};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error, Row, Statement};

use super::Asks;
use crate::value::Val;

type Sending<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

/// Runs statements in a transaction of their own. When one fails, the COMMIT behind it is a
/// rollback.
///
/// # Errors
/// With the number of the first statement that failed; `None` for BEGIN or COMMIT.
pub(super) async fn transaction<'a>(
    client: &'a Client,
    statements: impl Iterator<Item = (&'a Statement, &'a [Val])>,
) -> Result<(), (Option<usize>, Error)> {
    let mut sending: Vec<Sending<'a, ()>> = vec![client.batch_execute("begin").boxed()];
    sending.extend(statements.map(|(statement, params)| execute(client, statement, params)));
    let last = sending.len();
    sending.push(client.batch_execute("commit").boxed());
    for (at, answer) in together(sending).await.into_iter().enumerate() {
        let number = if at == 0 || at == last { None } else { Some(at - 1) };
        answer.map_err(|error| (number, error))?;
    }
    Ok(())
}

/// Runs statements within a transaction that is open.
pub(super) async fn statements<'a>(
    client: &'a impl Asks,
    statements: impl Iterator<Item = (&'a Statement, &'a [Val])>,
) -> Result<(), Error> {
    let sending = statements.map(|(statement, params)| execute(client.raw(), statement, params)).collect();
    together(sending).await.into_iter().collect()
}

/// Runs queries in a transaction that `begin` opens.
pub(super) async fn queries<'a>(
    client: &'a Client,
    begin: &'static str,
    queries: impl Iterator<Item = (&'a Statement, &'a [Val])>,
) -> Vec<Result<Vec<Row>, Error>> {
    let nothing = |done: Result<(), Error>| done.map(|()| Vec::new());
    let mut sending: Vec<Sending<'a, Vec<Row>>> = vec![client.batch_execute(begin).map(nothing).boxed()];
    sending.extend(queries.map(|(statement, params)| {
        let params: Vec<&'a (dyn ToSql + Sync)> = params.iter().map(|value| value as _).collect();
        async move { client.query(statement, &params).await }.boxed()
    }));
    sending.push(client.batch_execute("commit").map(nothing).boxed());
    let mut answers = together(sending).await;
    // A failed BEGIN fails what follows; a failed COMMIT of reads loses nothing.
    answers.pop();
    answers.into_iter().skip(1).collect()
}

fn execute<'a>(
    client: &'a (impl tokio_postgres::GenericClient + Sync),
    statement: &'a Statement,
    params: &'a [Val],
) -> Sending<'a, ()> {
    let params: Vec<&'a (dyn ToSql + Sync)> = params.iter().map(|value| value as _).collect();
    async move { client.execute(statement, &params).await.map(drop) }.boxed()
}

async fn together<T>(sending: Vec<Sending<'_, T>>) -> Vec<Result<T, Error>> {
    let mut sending: Vec<MaybeDone<Sending<'_, T>>> = sending.into_iter().map(maybe_done).collect();
    poll_fn(|context| {
        for one in &mut sending {
            let _ = one.poll_unpin(context);
        }
        Poll::Ready(())
    })
    .await;
    let mut answers = Vec::with_capacity(sending.len());
    for mut one in sending {
        (&mut one).await;
        answers.extend(Pin::new(&mut one).take_output());
    }
    answers
}
