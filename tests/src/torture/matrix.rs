//! All cells, or some: played by workers that have a simulated account each.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result};
use tokio::task::JoinSet;

use super::cell::{self, Cell, Place, Then};
use super::fault::Column;
use crate::account::Account;
use crate::scenario::Scenario;
use crate::tools::Tools;

/// The cells that were played, by row and column.
#[derive(Debug, Default)]
pub struct Matrix {
    /// The rows: every call of every function.
    pub rows: Vec<Place>,
    /// The columns.
    pub columns: Vec<Column>,
    /// The cells by row and column; one that was left out is absent.
    pub cells: BTreeMap<(usize, usize), Cell>,
}

/// What is to be played.
#[derive(Debug)]
pub struct Order {
    /// The functions.
    pub functions: Vec<String>,
    /// The columns.
    pub columns: Vec<Column>,
    /// Who comes after a delivery that failed.
    pub then: Then,
    /// How many cells are played side by side. Most of a cell is waiting for leases, backoffs and timeouts.
    pub workers: usize,
    /// Whether a cell is played, by the number of its call and the column.
    pub wanted: fn(&Place, usize) -> bool,
    /// Told of each cell that was played, and how many there are.
    pub played: fn(usize, usize),
}

/// Plays what was ordered.
pub async fn play(tools: &Tools, order: &Order) -> Result<Matrix> {
    let mut rows = Vec::new();
    let mut models: BTreeMap<String, Scenario> = BTreeMap::new();
    let first = Account::start(tools).await?;
    for function in &order.functions {
        let model = cell::model(tools, function)?;
        rows.extend(cell::places(tools, &first, &model).await?);
        models.insert(function.clone(), model);
    }
    let all = (0..rows.len()).flat_map(|row| (0..order.columns.len()).map(move |column| (row, column)));
    let wanted = |&(row, column): &(usize, usize)| rows.get(row).is_some_and(|r| (order.wanted)(r, column));
    let jobs: Arc<Vec<(usize, usize)>> = Arc::new(all.filter(wanted).collect());

    let next = Arc::new(AtomicUsize::new(0));
    let shared = Arc::new((tools.clone(), rows.clone(), order.columns.clone(), models));
    let (send, mut receive) = tokio::sync::mpsc::unbounded_channel();
    let mut workers = JoinSet::new();
    let mut spare = Some(first);
    for _ in 0..order.workers.min(jobs.len()) {
        let (jobs, next, shared) = (Arc::clone(&jobs), Arc::clone(&next), Arc::clone(&shared));
        let (send, then, account) = (send.clone(), order.then, spare.take());
        workers.spawn(async move {
            let (tools, rows, columns, models) = &*shared;
            let account = match account {
                Some(account) => account,
                None => Account::start(tools).await?,
            };
            while let Some(&(row, column)) = jobs.get(next.fetch_add(1, Ordering::SeqCst)) {
                let (Some(place), Some(&fault)) = (rows.get(row), columns.get(column)) else { continue };
                let model = models.get(&place.function).context("a row has a model")?;
                let played = cell::play(tools, &account, model, rows, place, fault, then).await;
                let what =
                    || format!("{} {}#{} {}", place.function, place.operation, place.nth, fault.name());
                drop(send.send(((row, column), played.with_context(what)?)));
            }
            Ok::<_, anyhow::Error>(())
        });
    }
    drop(send);
    let mut cells = BTreeMap::new();
    while let Some((at, played)) = receive.recv().await {
        cells.insert(at, played);
        (order.played)(cells.len(), jobs.len());
    }
    while let Some(ended) = workers.join_next().await {
        ended??;
    }
    Ok(Matrix { rows, columns: order.columns.clone(), cells })
}
