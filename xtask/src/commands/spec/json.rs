//! Owns the coverage as a program reads it. It counts nothing itself.

use serde_json::{Value, json};

use super::demanded;
use crate::spec::{Bound, Citation, Standing, Survey, Tally, Version};

pub(super) fn of(survey: &Survey) -> Value {
    json!({
        "versions": Version::ALL.map(|version| of_version(survey, version)),
        "demanded": counts(demanded(survey)),
        "unknown": survey.unknown.iter().map(|it| json!({ "id": it.id, "place": place(it) })).collect::<Vec<_>>(),
    })
}

fn of_version(survey: &Survey, version: Version) -> Value {
    let standings: Vec<&Standing> =
        survey.standings.iter().filter(|standing| standing.statement.version == version).collect();
    let of_bound = |bound: Bound| {
        let bound_so = standings.iter().copied().filter(|it| it.statement.bound == bound);
        (bound.name().to_owned(), counts(Tally::of(bound_so)))
    };
    json!({
        "version": version.name(),
        "coverage": Bound::ALL.into_iter().map(of_bound).collect::<serde_json::Map<_, _>>(),
        "statements": standings.iter().copied().map(statement).collect::<Vec<_>>(),
    })
}

fn statement(standing: &Standing) -> Value {
    let places = |citations: &[Citation]| citations.iter().map(place).collect::<Vec<_>>();
    json!({
        "id": standing.statement.id,
        "bound": standing.statement.bound.name(),
        "judged": standing.statement.judged,
        "summary": standing.statement.summary,
        "code": places(&standing.code),
        "test": places(&standing.tests),
        "exception": standing.exception,
    })
}

fn counts(tally: Tally) -> Value {
    let Tally { total, code, test, covered, excepted, missing } = tally;
    json!({
        "total": total, "code": code, "test": test, "both": covered, "excepted": excepted, "missing": missing,
    })
}

fn place(citation: &Citation) -> String {
    format!("{}:{}", citation.file, citation.line)
}
