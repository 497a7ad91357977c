//! Owns the one pass that judges a packet's properties: place, multiplicity, and what depends on
//! another property. Each value is judged by `value`.

use super::{
    catalogue::{PropertyId, PropertyOwner},
    value::Property,
};
use crate::{error::Violation, read};

/// Judges raw properties without allocating.
pub(super) fn check(owner: PropertyOwner, raw: &[u8]) -> Result<(), Violation> {
    let mut seen = 0u64;
    let mut rest = raw;
    while !rest.is_empty() {
        let (value, number) = read::variable(rest).map_err(read::violation)?;
        let id = PropertyId::from_number(number).ok_or(Violation::PropertyUnknown)?;
        if !id.is_allowed_in(owner) {
            return Err(Violation::PropertyNotAllowed);
        }
        let (behind, _) = Property::parse(id, value).map_err(read::violation)?;
        debug_assert!(behind.len() < rest.len());
        rest = behind;
        let bit = 1u64 << (id as u8);
        if seen & bit != 0 && !id.may_repeat_in(owner) {
            return Err(Violation::PropertyRepeated);
        }
        seen |= bit;
    }
    check_authentication(owner, seen)
}

/// Authentication Data needs its Method; AUTH is nothing without one.
fn check_authentication(owner: PropertyOwner, seen: u64) -> Result<(), Violation> {
    let has = |id: PropertyId| seen & (1 << (id as u8)) != 0;
    if has(PropertyId::AuthenticationData) && !has(PropertyId::AuthenticationMethod) {
        return Err(Violation::AuthenticationDataWithoutMethod);
    }
    if owner == PropertyOwner::Auth && seen != 0 && !has(PropertyId::AuthenticationMethod) {
        return Err(Violation::AuthenticationMethodMissing);
    }
    Ok(())
}
