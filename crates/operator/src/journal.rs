//! The journal, as an operator reads it: everything, or what is about one subject. The functions' own access is in the
//! shared crate; they have no permission to scan.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use tourniquet::error::{Error, aws};
use tourniquet::journal::{Item, partition_of};

/// The journal's table, with the operator's credentials.
#[derive(Clone, Debug)]
pub struct Journal {
    /// For what only one command does.
    pub client: Client,
    /// The table.
    pub table: String,
}

impl Journal {
    /// The journal in a table.
    #[must_use]
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Every item whose partition begins with `prefix`, such as `record#stop-instance#`: a scan of the table, page by page, each
    /// item handed on as it comes.
    pub async fn each(&self, prefix: &str, mut take: impl FnMut(&Item)) -> Result<(), Error> {
        let mut pages = self
            .client
            .scan()
            .table_name(&self.table)
            .filter_expression("begins_with(pk, :prefix)")
            .expression_attribute_values(":prefix", AttributeValue::S(prefix.to_owned()))
            .into_paginator()
            .send();
        while let Some(page) = pages.next().await {
            page.map_err(|e| aws("dynamodb:Scan", e))?.items().iter().for_each(&mut take);
        }
        Ok(())
    }

    /// Every item of one partition, read consistently.
    pub async fn partition(&self, partition: &str) -> Result<Vec<Item>, Error> {
        partition_of(&self.client, &self.table, partition).await
    }
}
