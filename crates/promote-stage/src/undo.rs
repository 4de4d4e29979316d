//! Going back when a promotion cannot be finished: by what the experiment manager holds now, not by what we believe
//! to have done, and never against another promotion. The record says afterwards that it was undone, and what could
//! not be put back is named.

use domino_core::api::registered_models::VersionNumber;
use domino_core::client::ApiError;

use crate::promotion::{Previous, Promotion};
use crate::record::{Record, Status};
use crate::registry::listed;

/// Undoes what it can, and says in words how things stand.
pub(crate) async fn put_back(promotion: &Promotion<'_>) -> String {
    let target = &promotion.target;
    let outcome = go_back(promotion).await;
    let there = promotion.moves.holders(target).await;
    let holds = match &there {
        Ok(there) => {
            let mut archived = promotion.archived.borrow_mut();
            archived.retain(|version| !there.contains(version));
            let stays = match archived.is_empty() {
                true => String::new(),
                false => format!(", and {} is archived", listed(&archived)),
            };
            format!("`{target}` holds {}{stays}", listed(there))
        }
        Err(_) => format!("what `{target}` holds could not be read"),
    };
    let (undone, left) = match outcome {
        Ok(outcome) => outcome,
        Err(error) => return format!("not everything could be put back ({error}); {holds}"),
    };
    if !left.is_empty() {
        return format!(
            "not everything could be put back: {}; {holds}",
            left.join("; ")
        );
    }
    match undone {
        Undone::Everything => format!(
            "version {} was put back into `{}`; {holds}",
            promotion.version, promotion.from
        ),
        Undone::Nothing => format!("nothing was moved; {holds}"),
    }
}

enum Undone {
    Everything,
    Nothing,
}

/// Puts the versions back, and then all that tells of them; of that, what fails is listed and the rest goes on.
async fn go_back(promotion: &Promotion<'_>) -> Result<(Undone, Vec<String>), ApiError> {
    let Promotion {
        moves,
        version,
        from,
        target,
        others,
        ..
    } = promotion;
    let mut undone = Undone::Nothing;
    let mut there = match moves.holders(target).await {
        Ok(there) => there,
        Err(error) => return leave_unseen(promotion, error).await,
    };
    if from != target && there.contains(version) {
        moves.put(*version, from).await?;
        there = moves.holders(target).await?;
        undone = Undone::Everything;
    }
    // Another version in the stage is there by right; without any, those that were there come back.
    if there.is_empty() {
        for other in others {
            moves.put(*other, target).await?;
            there.push(*other);
        }
    }
    let mut left = Vec::new();
    let mut note = |what: String, result: Result<(), ApiError>| {
        if let Err(error) = result {
            left.push(format!("{what} ({error})"));
        }
    };
    if !there.contains(version) {
        note(
            format!("alias `{}`", promotion.alias),
            restore_alias(promotion, &there).await,
        );
        note(
            format!("alias `{}`", promotion.previous_alias),
            restore_previous(promotion, &there).await,
        );
    }
    let marked = promotion.marked.borrow().clone();
    for mark in &marked {
        note(
            format!("tag `{}` of version {}", mark.key, mark.version),
            moves
                .tag_or_not(mark.version, &mark.key, &mark.before)
                .await,
        );
    }
    for (key, value) in undone_tags(promotion) {
        note(
            format!("tag `{key}` of version {version}"),
            moves.tag(*version, &key, &value).await,
        );
    }
    Ok((undone, left))
}

/// Where the stage cannot be looked at, the version leaves it all the same, as long as nothing was archived for it: two
/// in the stage would be worse.
async fn leave_unseen(
    promotion: &Promotion<'_>,
    error: ApiError,
) -> Result<(Undone, Vec<String>), ApiError> {
    let Promotion {
        version,
        from,
        target,
        ..
    } = promotion;
    if from == target || !promotion.archived.borrow().is_empty() {
        return Err(error);
    }
    promotion.moves.put(*version, from).await?;
    let left =
        format!("version {version} is in `{from}` again, but all else is as it was ({error})");
    Ok((Undone::Everything, vec![left]))
}

/// The record in the words that are true now.
fn undone_tags(promotion: &Promotion<'_>) -> Vec<(String, String)> {
    let record = Record {
        status: Status::Undone,
        ..promotion.record.clone()
    };
    // It was short enough when it was begun, with a longer word.
    record.tags(promotion.stage).unwrap_or_default()
}

/// The alias must not go on pointing to a version that is not in the stage.
async fn restore_alias(promotion: &Promotion<'_>, there: &[VersionNumber]) -> Result<(), ApiError> {
    let Promotion {
        moves,
        version,
        alias,
        alias_before,
        ..
    } = promotion;
    if moves.alias(alias).await? != Some(*version) {
        return Ok(());
    }
    match (there, alias_before) {
        ([one], _) => moves.point(alias, *one).await,
        (_, Some(before)) if before != version => moves.point(alias, *before).await,
        _ => moves.take_alias(alias).await,
    }
}

/// The alias of the version before says again what it said, where the stage holds again what it held. Beside another
/// promotion it stays: what we wrote there is what that one took the place of.
async fn restore_previous(
    promotion: &Promotion<'_>,
    there: &[VersionNumber],
) -> Result<(), ApiError> {
    let Promotion {
        moves,
        previous_alias: alias,
        previous_before,
        ..
    } = promotion;
    // An alias that shall go is the last to do so, after which nothing is undone.
    let Previous::Is(written) = promotion.previous else {
        return Ok(());
    };
    let as_before = there.iter().all(|one| promotion.others.contains(one));
    if !as_before || moves.alias(alias).await? != Some(written) {
        return Ok(());
    }
    match previous_before {
        Some(before) => moves.point(alias, *before).await,
        None => moves.take_alias(alias).await,
    }
}
