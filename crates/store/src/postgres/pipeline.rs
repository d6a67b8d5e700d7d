//! Many statements sent together, in order, on one connection.
//!
//! The driver sends a statement when its future is first polled. So all are polled once, in order,
//! before any answer is awaited: they leave together, whole or (if the caller goes away before) not
//! at all, and a COMMIT is never left out after what it commits.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

use futures_util::TryStreamExt as _;
use futures_util::future::{FutureExt as _, MaybeDone, TryFutureExt as _, maybe_done};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error, Row, RowStream, Statement};

use super::Asks;
use crate::value::Val;

type Sending<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

/// A read as it is sent.
#[derive(Clone, Copy)]
pub(super) enum Question<'a> {
    /// Prepared before.
    Prepared(&'a Statement, &'a [Val]),
    /// In one go, with the types of its parameters, and nothing that stays.
    Typed(&'a str, &'a [Val]),
}

/// Runs one query, and takes its rows as they come.
pub(super) async fn stream(client: &Client, question: Question<'_>) -> Result<RowStream, Error> {
    match question {
        Question::Prepared(statement, params) => client.query_raw(statement, params).await,
        Question::Typed(sql, params) => {
            client.query_typed_raw(sql, params.iter().map(|value| (value, value.pg_type()))).await
        }
    }
}

/// Runs one query.
pub(super) async fn query(client: &Client, question: Question<'_>) -> Result<Vec<Row>, Error> {
    stream(client, question).await?.try_collect().await
}

/// Runs statements in a transaction of their own, and then queries. When a statement fails, the
/// COMMIT behind it is a rollback.
///
/// # Errors
/// With the number of the first statement that failed; `None` for BEGIN or COMMIT.
pub(super) async fn transaction<'a>(
    client: &'a Client,
    statements: impl Iterator<Item = (&'a Statement, &'a [Val])>,
    then: impl Iterator<Item = Question<'a>>,
) -> Result<Vec<Result<Vec<Row>, Error>>, (Option<usize>, Error)> {
    let mut sending = vec![command(client, "begin")];
    let executed = statements.map(|(statement, params)| execute(client, statement, params));
    sending.extend(executed.map(|done| done.map_ok(|()| Vec::new()).boxed()));
    let last = sending.len();
    sending.push(command(client, "commit"));
    let asked: Vec<_> = then.collect();
    let asks = !asked.is_empty();
    if asks {
        sending.extend(snapshot(client, asked.into_iter()));
    }
    let mut answers = together(sending).await;
    let after = answers.split_off(last + 1);
    for (at, answer) in answers.into_iter().enumerate() {
        let number = if at == 0 || at == last { None } else { Some(at - 1) };
        answer.map_err(|error| (number, error))?;
    }
    Ok(if asks { within(after) } else { after })
}

/// Runs statements within a transaction that is open.
pub(super) async fn statements<'a>(
    client: &'a impl Asks,
    statements: impl Iterator<Item = (&'a Statement, &'a [Val])>,
) -> Result<(), Error> {
    let sending = statements.map(|(statement, params)| execute(client.raw(), statement, params)).collect();
    together(sending).await.into_iter().collect()
}

/// Runs queries that all see one instant.
pub(super) async fn queries<'a>(
    client: &'a Client,
    questions: impl Iterator<Item = Question<'a>>,
) -> Vec<Result<Vec<Row>, Error>> {
    within(together(snapshot(client, questions)).await)
}

/// Queries, between the commands that open a snapshot and close it.
fn snapshot<'a>(
    client: &'a Client,
    questions: impl Iterator<Item = Question<'a>>,
) -> Vec<Sending<'a, Vec<Row>>> {
    let mut sending = vec![command(client, "begin isolation level repeatable read read only")];
    sending.extend(questions.map(|question| query(client, question).boxed()));
    sending.push(command(client, "commit"));
    sending
}

/// The answers between those commands: a failed BEGIN fails what follows, and a failed COMMIT of
/// reads loses nothing.
fn within<T>(mut answers: Vec<T>) -> Vec<T> {
    answers.pop();
    answers.into_iter().skip(1).collect()
}

fn command<'a>(client: &'a Client, sql: &'static str) -> Sending<'a, Vec<Row>> {
    async move { client.batch_execute(sql).await.map(|()| Vec::new()) }.boxed()
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
