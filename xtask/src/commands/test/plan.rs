//! Owns the list of steps: their names, their order, and which of them a selection leaves. It runs none.

use crate::commands::{crash, sim};
use crate::error::Error;
use crate::workspace::{Package, Target, Workspace};

#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) steps: Vec<Step>,
}

#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) name: String,
    pub(crate) about: String,
    pub(crate) work: Work,
}

#[derive(Debug)]
pub(crate) enum Work {
    Format,
    Clippy,
    /// The statements of the standards that the sources cite.
    Citations,
    /// Everything that the tests below run, built once.
    Build,
    /// Some test programs of one package.
    Tests(TestPrograms),
    /// Many runs of the simulator.
    Simulation,
    /// Real brokers, killed and restarted.
    Crash,
    DocTests,
    Documentation,
    Package,
}

#[derive(Debug)]
pub(crate) struct TestPrograms {
    pub(crate) package: Package,
    pub(crate) targets: Vec<Target>,
    pub(crate) capture: Capture,
}

/// Whether the test harness keeps the output of passing tests to itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Capture {
    Kept,
    /// Passed on, so that the lines about skipped tests reach us.
    PassedOn,
}

#[derive(Debug)]
pub(crate) enum Selection {
    Everything,
    Quick,
    Only(Vec<String>),
}

impl Plan {
    /// Every step, cheap ones first; the tests in member order, which is that of the dependencies.
    pub(crate) fn of(workspace: &Workspace) -> Self {
        let mut steps = vec![
            step("format", "every file is formatted as rustfmt.toml says", Work::Format),
            step("spec", "every statement that the sources cite exists", Work::Citations),
            step("clippy", "no lint or compiler warning in any target", Work::Clippy),
            step("build", "every test program and the binaries they start", Work::Build),
        ];
        for package in workspace.packages.iter().filter(|package| !package.tested.is_empty()) {
            steps.extend(test_steps(package));
        }
        if workspace.packages.iter().any(|package| package.name == sim::PACKAGE) {
            let about = format!("{} runs of the whole broker, each as another seed has it", sim::SEEDS);
            steps.push(step("simulator", &about, Work::Simulation));
        }
        if workspace.packages.iter().any(|package| package.name == crash::PACKAGE) {
            let about = format!("{} rounds in which real brokers are killed under load", crash::ROUNDS);
            steps.push(step("crash", &about, Work::Crash));
        }
        steps.push(step("doctests", "the examples in the documentation", Work::DocTests));
        steps.push(step("doc", "documentation without a warning", Work::Documentation));
        steps.push(step("package", "every published crate builds from its own package", Work::Package));
        Self { steps }
    }

    pub(crate) fn select(mut self, selection: &Selection) -> Result<Self, Error> {
        match selection {
            Selection::Everything => {}
            Selection::Quick => self.steps.retain(|step| !SLOW.contains(&step.name.as_str())),
            Selection::Only(names) => self.keep_only(names)?,
        }
        Ok(self)
    }

    fn keep_only(&mut self, names: &[String]) -> Result<(), Error> {
        let known: Vec<String> = self.steps.iter().map(|step| step.name.clone()).collect();
        if let Some(unknown) = names.iter().find(|name| !known.contains(name)) {
            return Err(Error::UnknownStep { name: unknown.clone(), known });
        }
        let chosen = |step: &Step| names.contains(&step.name);
        let is_built = |step: &Step| matches!(step.work, Work::Tests(_) | Work::Simulation | Work::Crash);
        let tests = self.steps.iter().any(|step| chosen(step) && is_built(step));
        self.steps.retain(|step| chosen(step) || (tests && matches!(step.work, Work::Build)));
        Ok(())
    }
}

/// One step per package, except that the package of the integration tests is split: what talks to other people's
/// clients can be left out. The simulator's is named after what it proves, as its runs are a step of their own.
fn test_steps(package: &Package) -> Vec<Step> {
    if package.name == sim::PACKAGE {
        let about = "the simulator itself: runs repeat, planted bugs are caught";
        return vec![tests("planted-bugs", about, package, package.tested.clone(), Capture::Kept)];
    }
    if package.name == crash::PACKAGE {
        let about = "the crash test itself: every kind of loss is found";
        return vec![tests("crash-verifier", about, package, package.tested.clone(), Capture::Kept)];
    }
    if package.name != INTEGRATION_PACKAGE {
        let about = format!("unit and integration tests of {}", package.name);
        return vec![tests(package.short_name(), &about, package, package.tested.clone(), Capture::Kept)];
    }
    let (interop, own): (Vec<Target>, Vec<Target>) =
        package.tested.iter().cloned().partition(|target| target.name.starts_with(INTEROP_PREFIX));
    vec![
        tests("integration", "client and broker, end to end", package, own, Capture::PassedOn),
        tests("interop", "other people's clients and brokers", package, interop, Capture::PassedOn),
    ]
}

fn tests(name: &str, about: &str, package: &Package, targets: Vec<Target>, capture: Capture) -> Step {
    step(name, about, Work::Tests(TestPrograms { package: package.clone(), targets, capture }))
}

fn step(name: &str, about: &str, work: Work) -> Step {
    Step { name: name.to_owned(), about: about.to_owned(), work }
}

const INTEGRATION_PACKAGE: &str = "dunlin-tests";

/// A test target of the integration package whose name starts like this belongs to the step `interop`.
const INTEROP_PREFIX: &str = "interop";

/// The steps that `--quick` leaves out.
const SLOW: [&str; 3] = ["interop", "doc", "package"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Publication;

    fn workspace() -> Workspace {
        let package = |name: &str, tested: &[&str]| Package {
            id: name.to_owned(),
            name: name.to_owned(),
            folder: "/w".into(),
            publication: Publication::Internal,
            binaries: Vec::new(),
            tested: tested
                .iter()
                .map(|name| Target { name: (*name).to_owned(), kind: "test".to_owned() })
                .collect(),
        };
        let packages = vec![
            package("dunlin-codec", &["codec"]),
            package("mqttd", &["mqttd"]),
            package("untested", &[]),
            package("dunlin-simulator", &["runs"]),
            package("dunlin-crash", &["crash"]),
            package("dunlin-tests", &["interop_paho", "sessions", "interop_mosquitto"]),
        ];
        Workspace { root: "/w".into(), target: "/w/target".into(), packages }
    }

    #[track_caller]
    fn check(selection: &Selection, expected: &[&str]) {
        let plan = Plan::of(&workspace()).select(selection).expect("every step is known");
        let names: Vec<&str> = plan.steps.iter().map(|step| step.name.as_str()).collect();
        assert_eq!(names, expected);
    }

    fn only(names: &[&str]) -> Selection {
        Selection::Only(names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn a_selection_leaves_its_steps_in_plan_order() {
        check(
            &Selection::Everything,
            &[
                "format",
                "spec",
                "clippy",
                "build",
                "codec",
                "mqttd",
                "planted-bugs",
                "crash-verifier",
                "integration",
                "interop",
                "simulator",
                "crash",
                "doctests",
                "doc",
                "package",
            ],
        );
        check(
            &Selection::Quick,
            &[
                "format",
                "spec",
                "clippy",
                "build",
                "codec",
                "mqttd",
                "planted-bugs",
                "crash-verifier",
                "integration",
                "simulator",
                "crash",
                "doctests",
            ],
        );
        check(&only(&["doc", "format"]), &["format", "doc"]);
    }

    #[test]
    fn a_test_step_brings_the_build_it_needs() {
        check(&only(&["mqttd"]), &["build", "mqttd"]);
        check(&only(&["build", "interop"]), &["build", "interop"]);
        check(&only(&["simulator"]), &["build", "simulator"]);
        check(&only(&["crash"]), &["build", "crash"]);
    }

    #[test]
    fn an_unknown_step_is_refused_with_the_known_ones() {
        let error = Plan::of(&workspace()).select(&only(&["clipy"])).expect_err("there is no such step");
        let expected = "no step is called \"clipy\"; the steps are: format, spec, clippy, build, codec, mqttd, \
                        planted-bugs, crash-verifier, integration, interop, simulator, crash, doctests, doc, package";
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn interoperability_targets_are_split_from_the_other_integration_tests() {
        let plan = Plan::of(&workspace());
        let targets = |name: &str| -> Vec<String> {
            let step = plan.steps.iter().find(|step| step.name == name).expect("the step exists");
            match &step.work {
                Work::Tests(programs) => programs.targets.iter().map(|target| target.name.clone()).collect(),
                other => panic!("{name} is {other:?}"),
            }
        };
        assert_eq!(targets("integration"), ["sessions"]);
        assert_eq!(targets("interop"), ["interop_paho", "interop_mosquitto"]);
    }
}
