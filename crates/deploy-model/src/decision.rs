//! What a publish has to do, and whether it may: what serves compared with what is wanted, who lets the version in, and
//! whether it would go back. It only reads.

use domino_core::client::Reader;
use domino_core::commit::Commit;
use domino_core::error::Result;
use domino_core::older_commit::OrderNotes;
use domino_core::place::ResolvedPlacement;
use stage_file::{Routing, VersionRule};

use crate::check::{Built, mismatches};
use crate::difference::{ExistingEndpoint, Wanted, Work, work};
use crate::going_back;
use crate::ground::Ground;
use crate::proven::{Claim, Registered};
use crate::source::Source;
use crate::stage_order::StageOrder;
use crate::version::Choice;

/// What is to be done, and on what grounds.
pub(crate) struct Decided {
    pub(crate) work: Work,
    pub(crate) built: Option<Built>,
    pub(crate) registered: Registered,
    /// What is to be said of another version of that number.
    pub(crate) namesake: Option<String>,
}

/// Compares, also with another version of the same number.
pub(crate) async fn decide(
    claim: &Claim<'_>,
    ground: &Ground,
    existing: Option<&ExistingEndpoint>,
    source: &Source,
    wanted: &Wanted,
    registered: Registered,
) -> Result<Decided> {
    let work = work(ground.endpoint.apis.capabilities(), existing, wanted);
    let served = existing.and_then(ExistingEndpoint::active);
    let registered = claim.read_beside(registered, served, &source.what).await?;
    let namesake = claim.check_served(served, &source.what, &registered)?;
    let reader = claim.context.connection.reader();
    let (mut work, built) = compare(&reader, wanted, &ground.place, existing, work).await;
    if namesake.is_some() && matches!(work, Work::Nothing(_)) {
        work = Work::Version {
            differences: vec![format!("another {} of that number", source.what)],
            settings: false,
        };
    }
    Ok(Decided {
        work,
        built,
        registered,
        namesake,
    })
}

/// Refuses a version that may not enter or is not the turn of this stage yet, and says why one enters all the same.
pub(crate) async fn let_in(
    claim: &Claim<'_>,
    ground: &Ground,
    decided: &Decided,
    choice: Option<&Choice<'_>>,
    (source, commit): (&Source, &Commit),
) -> Result<Vec<String>> {
    let Claim {
        context,
        model,
        args,
    } = claim;
    let work = &decided.work;
    let mut remarks = Vec::new();
    let said = context.file.endpoint_settings(model, &context.stage);
    let callers_get_another = said.routing == Some(Routing::Advanced)
        && matches!(work, Work::Nothing(version) if !version.is_promoted());
    let changes = callers_get_another || !matches!(work, Work::Nothing(_));
    if let (true, Some(version)) = (changes, source.version()) {
        remarks.extend(claim.check_let_in(version, &decided.registered)?);
    }
    if !matches!(work, Work::Nothing(_)) && !matches!(choice, Some(Choice::StageBefore(_))) {
        let order = StageOrder {
            context,
            model,
            version: source.version(),
            commit,
            forced: args.force_version.as_deref(),
        };
        remarks.extend(order.check(&ground.project, &ground.apis).await?);
    }
    Ok(remarks)
}

/// Whether the new version would go back behind what serves, and what is to be said of that.
pub(crate) async fn order(
    claim: &Claim<'_>,
    rule: Option<&VersionRule>,
    existing: Option<&ExistingEndpoint>,
    wanted: &Wanted,
    work: &Work,
) -> Result<OrderNotes> {
    match (work, existing) {
        (Work::Version { .. }, Some(existing)) if !existing.is_stopped() => {
            let (back, connection) = (claim.args.back, &claim.context.connection);
            going_back::check(existing, wanted, rule, back, connection).await
        }
        _ => Ok(OrderNotes::default()),
    }
}

/// Compares what serves with what is wanted, if nothing else would be done. That it was created for this says nothing
/// about the result: the publish may have failed, or ended before it could check.
async fn compare(
    reader: &Reader,
    wanted: &Wanted,
    place: &ResolvedPlacement,
    existing: Option<&ExistingEndpoint>,
    work: Work,
) -> (Work, Option<Built>) {
    let (Work::Nothing(version), Some(existing)) = (&work, existing) else {
        return (work, None);
    };
    let built = Built::ask(reader, wanted, &existing.api.id, version).await;
    let tier = place.tier.as_ref();
    let differences = mismatches(wanted, tier, &existing.api, version, &built);
    if differences.is_empty() {
        return (work, Some(built));
    }
    let settings = false;
    (
        Work::Version {
            differences,
            settings,
        },
        Some(built),
    )
}
