//! Time zones by the names that Domino, which is Java, accepts.
//!
//! The time zones are built in, so that a stage file is valid or not on every machine alike; those of the machine are
//! not used.

mod alias;

use jiff::tz::{TimeZone, TimeZoneDatabase};

use self::alias::{ALIASES, OF_JAVA};
use super::unknown_name::nearest;

/// Names in the database that Java does not know.
const UNKNOWN_TO_JAVA: [&str; 2] = ["Factory", "ROC"];

/// The time zone with this name. Domino's server is case-sensitive here, so this is too.
pub fn time_zone(name: &str) -> Option<TimeZone> {
    let of_java = OF_JAVA.iter().find(|(alias, _)| *alias == name);
    let name = of_java.map_or(name, |(_, today)| *today);
    let zone = TimeZoneDatabase::bundled().get(name).ok()?;
    let exact = zone.iana_name() == Some(name) && !UNKNOWN_TO_JAVA.contains(&name);
    exact.then_some(zone)
}

/// The zone's present name, if that is another one.
pub fn todays_name(name: &str) -> Option<&'static str> {
    let mut all = ALIASES.iter().chain(OF_JAVA);
    all.find(|(alias, _)| *alias == name)
        .map(|(_, today)| *today)
}

/// The zone that was most likely meant.
pub fn nearest_time_zone(name: &str) -> Option<String> {
    if let Some(today) = todays_name(name) {
        return Some(today.to_owned());
    }
    let database = TimeZoneDatabase::bundled();
    let known: Vec<String> = database
        .available()
        .map(|zone| zone.to_string())
        .filter(|name| todays_name(name).is_none() && !UNKNOWN_TO_JAVA.contains(&name.as_str()))
        .collect();
    let known = || known.iter().map(String::as_str);
    // Many write only the city, or a blank for the underscore.
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
            "US/Eastern",
            "PST",
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
            "utc",
            "ROC",
            "Factory",
        ] {
            assert!(time_zone(name).is_none(), "{name}");
        }
    }

    #[test]
    fn every_other_name_of_a_zone_leads_to_the_zone_itself() {
        let now = "2026-11-30T12:00:00Z".parse().unwrap();
        for (alias, today) in ALIASES.iter().chain(OF_JAVA) {
            let zone = time_zone(today).unwrap();
            assert_eq!(todays_name(today), None, "{alias}");
            if let Some(other) = time_zone(alias) {
                let changes = |zone: &TimeZone| -> Vec<_> {
                    let changes = zone.following(now).take(4);
                    changes
                        .map(|change| (change.timestamp(), change.offset()))
                        .collect()
                };
                assert_eq!(zone.to_offset(now), other.to_offset(now), "{alias}");
                assert_eq!(changes(&zone), changes(&other), "{alias}");
            } else {
                assert!(UNKNOWN_TO_JAVA.contains(alias), "{alias}");
            }
        }
    }

    #[test]
    fn the_zone_that_was_meant_is_found_by_city_by_case_and_by_likeness() {
        for (written, meant) in [
            ("Berlin", "Europe/Berlin"),
            ("europe/berlin", "Europe/Berlin"),
            ("America/New_Yrok", "America/New_York"),
            ("new york", "America/New_York"),
            ("ROC", "Asia/Taipei"),
        ] {
            assert_eq!(nearest_time_zone(written).as_deref(), Some(meant));
        }
    }
}
