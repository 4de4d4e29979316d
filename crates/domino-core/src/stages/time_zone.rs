//! Time zones by their IANA names, read one at a time.
//!
//! jiff's own lookup first lists every zone of the machine, some six hundred files, and a program that
//! deploys one job starts faster than that. So the one file is read, and jiff is asked when it is not there.

use std::path::Path;

use jiff::tz::TimeZone;

use super::unknown_name::nearest;

/// Where Unix keeps its time zones.
const FOLDERS: [&str; 3] = ["/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/etc/zoneinfo"];

/// The time zone by its exact IANA name. Domino's server compares with case, so this does too.
pub(super) fn time_zone(name: &str) -> Option<TimeZone> {
    if !is_name(name) {
        return None;
    }
    if name == "UTC" {
        return Some(TimeZone::UTC);
    }
    let read = |folder: &&str| {
        let bytes = std::fs::read(Path::new(folder).join(name)).ok()?;
        TimeZone::tzif(name, &bytes).ok()
    };
    FOLDERS.iter().find_map(read).or_else(|| {
        let zone = jiff::tz::db().get(name).ok()?;
        (zone.iana_name() == Some(name)).then_some(zone)
    })
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
            assert!(time_zone(name).is_some(), "{name}");
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
            assert!(time_zone(name).is_none(), "{name}");
        }
    }

    #[test]
    fn a_zone_read_from_its_file_is_the_zone_jiff_knows() {
        let noon = jiff::civil::date(2026, 7, 1).at(12, 0, 0, 0);
        let read = time_zone("Europe/Berlin")
            .unwrap()
            .to_timestamp(noon)
            .unwrap();
        let known = TimeZone::get("Europe/Berlin")
            .unwrap()
            .to_timestamp(noon)
            .unwrap();
        assert_eq!(read, known);
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
