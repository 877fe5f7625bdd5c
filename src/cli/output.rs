//! Printing results: a table for people, or JSON for programs.

use std::io::{self, Write};

use clap::{Args, ValueEnum};
use serde_json::Value;

/// How a result is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Lines for people.
    #[default]
    Table,
    /// JSON for programs.
    Json,
}

/// The option `--output`.
#[derive(Args, Clone, Copy)]
pub struct Output {
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    pub output: Format,
}

impl Output {
    /// Prints one object: a line `name  value` for each of its members, or JSON on one line.
    pub fn object(self, object: &Value) -> io::Result<()> {
        match (self.output, object.as_object()) {
            (Format::Table, Some(members)) => {
                let width = members.keys().map(String::len).max().unwrap_or(0);
                let lines =
                    members.iter().map(|(name, value)| format!("{name:width$}  {}\n", cell(value)));
                print(&lines.collect::<String>())
            }
            _ => print(&format!("{object}\n")),
        }
    }

    /// Prints a list of objects that have the same members: a table with a heading, or a JSON list
    /// on one line.
    pub fn list(self, columns: &[&str], rows: &[Value]) -> io::Result<()> {
        if self.output == Format::Json {
            return print(&format!("{}\n", Value::from(rows.to_vec())));
        }
        let heading = columns.iter().map(|column| (*column).to_owned()).collect::<Vec<_>>();
        let cells = rows
            .iter()
            .map(|row| columns.iter().map(|column| cell(&row[*column])).collect::<Vec<_>>());
        let lines: Vec<Vec<String>> = std::iter::once(heading).chain(cells).collect();
        let width =
            |at: usize| lines.iter().map(|line| line[at].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns.len()).map(width).collect();
        let text = lines.iter().map(|line| {
            let padded = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
            format!("{}\n", padded.collect::<Vec<_>>().join("  ").trim_end())
        });
        print(&text.collect::<String>())
    }
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Writes to standard output. A closed pipe, as after `head`, is not an error.
pub fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Writes to standard error, and ignores a closed one: there is no other place to report to.
pub fn complain(text: &str) {
    writeln!(io::stderr().lock(), "{}", text.trim_end()).ok();
}
