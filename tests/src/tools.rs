//! Owns where programs are found: our binaries, and other people's, which may be missing. It installs nothing.

use std::{
    env,
    path::{Path, PathBuf},
};

/// One of our own binaries, from `DUNLIN_BIN_DIR` or from beside the test program.
///
/// # Panics
/// If it was not built.
#[must_use]
pub fn binary(name: &str) -> PathBuf {
    let folder = env::var_os("DUNLIN_BIN_DIR").map_or_else(folder_of_binaries, PathBuf::from);
    let path = folder.join(name);
    assert!(path.is_file(), "{} does not exist: run `cargo build --workspace` first", path.display());
    path
}

/// A test program lies in `deps`, the binaries one folder above.
fn folder_of_binaries() -> PathBuf {
    let program = env::current_exe().expect("a test knows its own program");
    program.ancestors().nth(2).expect("a folder above deps").to_owned()
}

/// A program of other people, if it is installed.
#[must_use]
pub fn external(name: &str) -> Option<PathBuf> {
    // Debian keeps servers where users have no path to.
    let more = ["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from);
    let path = env::var_os("PATH").unwrap_or_default();
    let mut folders = env::split_paths(&path).chain(more);
    folders.find_map(|folder| Some(folder.join(name)).filter(|program| program.is_file()))
}

/// Where `cargo xtask setup` puts the clients of a language (`python` or `node`), if it has.
#[must_use]
pub fn interop_folder(language: &str) -> Option<PathBuf> {
    let folder = workspace().join("target/interop").join(language);
    folder.is_dir().then_some(folder)
}

/// A script of the tests, by its path inside this package.
#[must_use]
pub fn script(path: &str) -> PathBuf {
    package().join(path)
}

fn workspace() -> PathBuf {
    package().parent().expect("the package lies in the workspace").to_owned()
}

fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Takes what a test cannot do without out of an `Option`. Without it, says that the test is skipped, and returns.
#[macro_export]
macro_rules! need {
    ($found:expr, $tool:expr) => {
        match $found {
            Some(found) => found,
            None => {
                fn here() {}
                let path = ::std::any::type_name_of_val(&here);
                let test = path.split_once("::").map_or(path, |(_, test)| test);
                println!("SKIPPED: {}: needs {}", test.trim_end_matches("::here"), $tool);
                return;
            }
        }
    };
}
