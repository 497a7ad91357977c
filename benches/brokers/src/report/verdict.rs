//! Owns whether the aims are met.

use std::fmt;

use serde_json::{Value, json};

use super::{Report, Row, Section, row_name};
use crate::brokers::OURS;
use crate::modes::Aim;
use crate::modes::traffic::twin_of;

/// One figure of ours beside what it should be.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Verdict {
    pub(crate) mode: String,
    pub(crate) broker: String,
    pub(crate) figure: &'static str,
    /// In the terms of the aim.
    pub(crate) value: f64,
    pub(crate) aim: Aim,
}

impl Report {
    /// Of every aim whose figures are there.
    pub(crate) fn verdicts(&self, section: &Section) -> Vec<Verdict> {
        let ours = section.rows.iter().filter(|row| row.is_ours() && !row.all.is_empty());
        let verdict = |row: &Row, (figure, aim): (&'static str, Aim)| {
            let value = row.find(figure)?;
            let value = match aim {
                Aim::AtMost(_) => value,
                Aim::TimesFloor(_) => value / section.floor()?.find(figure)?,
                Aim::TimesOneWorker(_) => {
                    let one_worker = row_name(OURS, Some(1));
                    let one_worker = section.row(&one_worker).filter(|it| it.broker != row.broker)?;
                    value / one_worker.find(figure)?
                }
                Aim::TimesVersion311(_) => value / self.twin(section)?.row(&row.broker)?.find(figure)?,
            };
            Some(Verdict { mode: section.name.clone(), broker: row.broker.clone(), figure, value, aim })
        };
        ours.flat_map(|row| section.aims.iter().filter_map(move |&aim| verdict(row, aim))).collect()
    }

    fn twin(&self, section: &Section) -> Option<&Section> {
        let name = twin_of(&section.name)?;
        self.sections.iter().find(|it| it.name == name)
    }
}

impl Verdict {
    pub(crate) fn is_met(&self) -> bool {
        self.value <= self.value_max()
    }

    fn value_max(&self) -> f64 {
        match self.aim {
            Aim::AtMost(max)
            | Aim::TimesFloor(max)
            | Aim::TimesOneWorker(max)
            | Aim::TimesVersion311(max) => max,
        }
    }

    /// What the value is measured in.
    fn times(&self) -> &'static str {
        match self.aim {
            Aim::AtMost(_) => "",
            Aim::TimesFloor(_) => " times the floor",
            Aim::TimesOneWorker(_) => " times one worker",
            Aim::TimesVersion311(_) => " times MQTT 3.1.1",
        }
    }

    pub(crate) fn told_value(&self) -> String {
        format!("{:.2}{}", self.value, self.times())
    }

    pub(crate) fn told_aim(&self) -> String {
        format!("at most {}", self.value_max())
    }

    pub(crate) fn told(&self) -> &'static str {
        if self.is_met() { "met" } else { "MISSED" }
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "mode": self.mode,
            "broker": self.broker,
            "figure": self.figure,
            "value": self.value,
            "of": self.times().trim_start(),
            "at_most": self.value_max(),
            "met": self.is_met(),
        })
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (told, value, aim) = (self.told(), self.told_value(), self.told_aim());
        write!(f, "{told}: {} {} {value}, {aim}", self.broker, self.figure)
    }
}
