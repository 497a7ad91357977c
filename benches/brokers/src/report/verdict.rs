//! Owns whether the aims are met, and how clearly.

use std::fmt;

use serde_json::{Value, json};

use super::table::readable;
use super::{Row, Section, row_name};
use crate::brokers::OURS;
use crate::figures::median;
use crate::modes::Aim;
use crate::modes::traffic::twin_of;

/// One figure of ours beside what it should be.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Verdict {
    pub(crate) mode: String,
    pub(crate) broker: String,
    pub(crate) figure: &'static str,
    /// In the terms of the aim, of each turn; there is one at least.
    pub(crate) turns: Vec<f64>,
    pub(crate) aim: Aim,
}

/// Of so many turns one may say otherwise, and it is clear still.
const TURNS_FOR_AN_EXCEPTION: usize = 5;

impl Verdict {
    /// Of every aim whose figures are there.
    pub(crate) fn all(sections: &[Section]) -> Vec<Self> {
        sections.iter().flat_map(|section| Self::of(section, sections)).collect()
    }

    /// Those of one section, which may be held against others.
    pub(crate) fn of(section: &Section, sections: &[Section]) -> Vec<Self> {
        let ours = section.rows.iter().filter(|row| row.is_ours());
        let twin = twin_of(&section.name).and_then(|name| sections.iter().find(|it| it.name == name));
        let verdict = |row: &Row, (figure, aim): (&'static str, Aim)| {
            let turns = match aim {
                Aim::AtMost(_) => row.each(figure),
                Aim::TimesFloor(_) => row.times(section.floor()?, figure),
                Aim::TimesOneWorker(_) => {
                    let one_worker = row_name(OURS, Some(1));
                    let one_worker = section.row(&one_worker).filter(|it| it.broker != row.broker)?;
                    row.times(one_worker, figure)
                }
                Aim::TimesVersion311(_) => row.times(twin?.row(&row.broker)?, figure),
            };
            let (mode, broker) = (section.name.clone(), row.broker.clone());
            (!turns.is_empty()).then_some(Self { mode, broker, figure, turns, aim })
        };
        ours.flat_map(|row| section.aims.iter().filter_map(move |&aim| verdict(row, aim))).collect()
    }

    pub(crate) fn is_met(&self) -> bool {
        self.value() <= self.value_max()
    }

    /// Whether the turns agree, but for one in five: repeated, the same is likely to come out.
    pub(crate) fn is_clear(&self) -> bool {
        let met = self.turns_met();
        met.min(self.turns.len() - met) * TURNS_FOR_AN_EXCEPTION <= self.turns.len()
    }

    fn value(&self) -> f64 {
        median(self.turns.iter().copied())
    }

    fn turns_met(&self) -> usize {
        self.turns.iter().filter(|&&value| value <= self.value_max()).count()
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
        format!("{:.2}{}", self.value(), self.times())
    }

    pub(crate) fn told_aim(&self) -> String {
        format!("at most {}", self.value_max())
    }

    pub(crate) fn told(&self) -> &'static str {
        if self.is_met() { "met" } else { "MISSED" }
    }

    /// From the lowest to the highest, and how many meet the aim.
    pub(crate) fn told_turns(&self) -> String {
        if self.turns.len() == 1 {
            return "once".to_owned();
        }
        let [lowest, highest] =
            [f64::min, f64::max].map(|pick| self.turns.iter().copied().fold(f64::NAN, pick));
        let (met, all) = (self.turns_met(), self.turns.len());
        format!("{} to {}, {met} of {all} met", readable(lowest), readable(highest))
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "mode": self.mode,
            "broker": self.broker,
            "figure": self.figure,
            "value": self.value(),
            "turns": self.turns,
            "of": self.times().trim_start(),
            "at_most": self.value_max(),
            "met": self.is_met(),
        })
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (told, value, aim) = (self.told(), self.told_value(), self.told_aim());
        write!(f, "{told}: {} {} {value}, {aim} ({})", self.broker, self.figure, self.told_turns())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_turn_in_five_may_say_otherwise() {
        let check = |turns: &[f64], is_met, is_clear| {
            let verdict = Verdict {
                mode: "pairs".to_owned(),
                broker: "mqttd 1w".to_owned(),
                figure: "CPU us",
                turns: turns.to_vec(),
                aim: Aim::TimesFloor(1.2),
            };
            assert_eq!((verdict.is_met(), verdict.is_clear()), (is_met, is_clear), "{verdict}");
        };
        check(&[1.2], true, true);
        check(&[1.21], false, true);
        check(&[1.1, 1.2, 1.15], true, true);
        check(&[1.1, 1.3, 1.15], true, false);
        check(&[1.3, 1.1, 1.25], false, false);
        check(&[1.1, 1.3, 1.15, 1.1], true, false);
        check(&[1.1, 1.3, 1.15, 1.1, 1.1], true, true);
        check(&[1.3, 1.1, 1.25, 1.3, 1.4], false, true);
        check(&[1.3, 1.1, 1.25, 1.3, 1.4, 1.1], false, false);
    }
}
