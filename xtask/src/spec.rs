//! Owns the comparison of MQTT's normative statements with the sources that cite them. What is made of it is for the
//! commands to say.

mod catalogue;
mod coverage;
mod scan;

use std::collections::BTreeMap;
use std::path::Path;

use crate::error::Error;
pub(crate) use catalogue::{Bound, Catalogue, Statement, Version};
pub(crate) use coverage::{DEMANDED, Tally};
pub(crate) use scan::{Citation, Side};

/// Every statement with its citations, in the order of the standards.
#[derive(Debug)]
pub(crate) struct Survey {
    pub(crate) standings: Vec<Standing>,
    /// Citations of statements that do not exist.
    pub(crate) unknown: Vec<Citation>,
}

/// One statement and where the project stands with it.
#[derive(Debug)]
pub(crate) struct Standing {
    pub(crate) statement: Statement,
    pub(crate) code: Vec<Citation>,
    pub(crate) tests: Vec<Citation>,
    /// Why it need not be cited.
    pub(crate) exception: Option<String>,
}

impl Survey {
    /// Reads the lists in `tests/spec` and all sources of the workspace.
    pub(crate) fn of(root: &Path) -> Result<Self, Error> {
        Ok(Self::new(Catalogue::load(root)?, scan::tree(root)?))
    }

    fn new(catalogue: Catalogue, citations: Vec<Citation>) -> Self {
        let mut cited: BTreeMap<String, Vec<Citation>> = BTreeMap::new();
        let mut unknown = Vec::new();
        for citation in citations {
            if catalogue.contains(&citation.id) {
                cited.entry(citation.id.clone()).or_default().push(citation);
            } else {
                unknown.push(citation);
            }
        }
        let Catalogue { statements, mut exceptions } = catalogue;
        let standings = statements.into_iter().map(|statement| {
            let citations = cited.remove(&statement.id).unwrap_or_default();
            let (code, tests) = citations.into_iter().partition(|citation| citation.side == Side::Code);
            let exception = exceptions.remove(&statement.id);
            Standing { statement, code, tests, exception }
        });
        Self { standings: standings.collect(), unknown }
    }
}

impl Standing {
    /// Cited by code and by a test.
    pub(crate) fn is_covered(&self) -> bool {
        !self.code.is_empty() && !self.tests.is_empty()
    }

    /// Neither covered nor excused, though it demands something.
    pub(crate) fn is_missing(&self) -> bool {
        self.statement.bound.demands() && !self.is_covered() && self.exception.is_none()
    }
}
