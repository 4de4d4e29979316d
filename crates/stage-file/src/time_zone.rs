//! Time zones by their IANA names, read one at a time.
//!
//! jiff's own lookup first lists every zone of the machine, some six hundred files, and a program that
//! deploys one job starts faster than that. So the one file is read, and jiff is asked when it is not there.
//! No time zones are built in: they would be a twentieth of a program.

use std::path::Path;

use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::unknown_name::nearest;

/// Where Unix keeps its time zones.
const FOLDERS: [&str; 3] = ["/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/etc/zoneinfo"];

/// What this machine knows of a time zone.
#[derive(Debug)]
pub(super) enum Zone {
    /// The time zone.
    Known(TimeZone),
    /// That there is none by this name.
    Unknown,
    /// Nothing: a machine without time zones, such as a small container.
    Unjudged,
}

/// The time zone by its exact IANA name. Domino's server compares with case, so this does too.
pub(super) fn time_zone(name: &str) -> Zone {
    zone_in(&FOLDERS, jiff::tz::db(), name)
}

fn zone_in(folders: &[&str], database: &TimeZoneDatabase, name: &str) -> Zone {
    if !is_name(name) {
        return Zone::Unknown;
    }
    if name == "UTC" {
        return Zone::Known(TimeZone::UTC);
    }
    let read = |folder: &&str| {
        let bytes = std::fs::read(Path::new(folder).join(name)).ok()?;
        TimeZone::tzif(name, &bytes).ok()
    };
    if let Some(zone) = folders.iter().find_map(read) {
        return Zone::Known(zone);
    }
    match database.get(name) {
        Ok(zone) if zone.iana_name() == Some(name) => Zone::Known(zone),
        _ if database.is_definitively_empty() => Zone::Unjudged,
        _ => Zone::Unknown,
    }
}

/// Whether the text could name a zone: it becomes a path, and must stay below the folder.
fn is_name(name: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"_-+".contains(&byte);
    let part = |part: &str| !part.is_empty() && part.len() <= 40 && part.bytes().all(legal);
    // These folders and files hold zones under names that Domino does not know.
    let shadow = ["posix", "right", "localtime", "posixrules", "Factory"];
    name.split('/').all(part) && !shadow.contains(&name.split('/').next().unwrap_or_default())
}

/// The zone that was most likely meant.
pub(super) fn nearest_time_zone(name: &str) -> Option<String> {
    let known: Vec<String> = jiff::tz::db()
        .available()
        .map(|zone| zone.to_string())
        .collect();
    let known = || {
        known
            .iter()
            .map(String::as_str)
            .filter(|name| is_name(name))
    };
    // Many write the city alone, or a blank for the line below.
    let city = |zone: &&str| {
        zone.rsplit('/')
            .next()
            .is_some_and(|city| city.eq_ignore_ascii_case(&name.replace(' ', "_")))
    };
    known()
        .find(city)
        .or_else(|| nearest(name, known()))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_known_by_its_exact_name() {
        for name in [
            "UTC",
            "Europe/Berlin",
            "America/Argentina/Buenos_Aires",
            "Etc/GMT+5",
        ] {
            assert!(matches!(time_zone(name), Zone::Known(_)), "{name}");
        }
        for name in [
            "europe/berlin",
            "Europe/Berlinn",
            "",
            "/etc/passwd",
            "../zoneinfo/UTC",
            "posix/UTC",
            "Europe",
        ] {
            assert!(matches!(time_zone(name), Zone::Unknown), "{name}");
        }
    }

    #[test]
    fn a_zone_read_from_its_file_is_the_zone_jiff_knows() {
        let noon = jiff::civil::date(2026, 7, 1).at(12, 0, 0, 0);
        let Zone::Known(read) = time_zone("Europe/Berlin") else {
            panic!()
        };
        let known = TimeZone::get("Europe/Berlin").unwrap();
        assert_eq!(
            read.to_timestamp(noon).unwrap(),
            known.to_timestamp(noon).unwrap()
        );
    }

    #[test]
    fn a_machine_without_time_zones_judges_only_the_form_of_a_name() {
        let zone = |name| zone_in(&[], &TimeZoneDatabase::none(), name);
        assert!(matches!(zone("Europe/Berlin"), Zone::Unjudged));
        assert!(matches!(zone("Europe/Berlinn"), Zone::Unjudged));
        assert!(matches!(zone("Europe Berlin"), Zone::Unknown));
        assert!(matches!(zone("UTC"), Zone::Known(_)));
    }

    #[test]
    fn the_zone_that_was_meant_is_found_by_city_by_case_and_by_likeness() {
        assert_eq!(
            nearest_time_zone("Berlin").as_deref(),
            Some("Europe/Berlin")
        );
        assert_eq!(
            nearest_time_zone("europe/berlin").as_deref(),
            Some("Europe/Berlin")
        );
        assert_eq!(
            nearest_time_zone("America/New_Yrok").as_deref(),
            Some("America/New_York")
        );
        assert_eq!(
            nearest_time_zone("new york").as_deref(),
            Some("America/New_York")
        );
    }
}
