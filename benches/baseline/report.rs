//! Ratios and their targets.

use std::process::ExitCode;

#[derive(Default)]
pub struct Report {
    missed: u32,
}

impl Report {
    /// A figure without a target.
    pub fn note(&self, what: &str, figure: &str) {
        println!("{what:<64} {figure}");
    }

    /// A ratio with an upper target: the median of several, whose spread shows its precision.
    pub fn ratio(&mut self, what: &str, mut ratios: Vec<f64>, aim: Option<f64>) {
        ratios.sort_unstable_by(f64::total_cmp);
        let ratio = ratios[ratios.len() / 2];
        let low = ratios[0];
        let high = ratios[ratios.len() - 1];
        let figure = format!("{ratio:.2} ({low:.2} to {high:.2})");
        match aim {
            None => self.note(what, &figure),
            Some(aim) if ratio <= aim => self.note(what, &format!("{figure}, aim {aim}: reached")),
            Some(aim) => {
                self.missed += 1;
                self.note(what, &format!("{figure}, aim {aim}: MISSED"));
            }
        }
    }

    pub fn end(self) -> ExitCode {
        match self.missed {
            0 => ExitCode::SUCCESS,
            missed => {
                println!("{missed} aims missed");
                ExitCode::FAILURE
            }
        }
    }
}
