//! Owns what `mqttd` does without a command: load the configuration and serve. Serving itself is
//! the daemon's business.

use super::flags::SettingFlags;
use crate::config::ListenAddress;
use crate::error::Error;
use crate::log::Log;

pub(super) fn run(flags: &SettingFlags) -> Result<(), Error> {
    let settings = flags.load()?.settings;
    let log = Log::to_standard_error(settings.log.level);
    log.warn(
        "nothing is stored yet, everything is kept in memory",
        &[("data_dir", &settings.data_dir.display())],
    );
    if settings.listen.iter().copied().all(ListenAddress::is_loopback) {
        log.info("only this machine is served; to serve others set listen and allow_anonymous = true", &[]);
    }
    Err(Error::NoListener)
}
