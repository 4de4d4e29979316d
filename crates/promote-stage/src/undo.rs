//! Going back when a promotion cannot be finished: by what the experiment manager holds now, not by what we believe
//! to have done, and never against another promotion.

use domino_core::api::registered_models::VersionNumber;
use domino_core::client::ApiError;

use crate::promotion::Promotion;
use crate::record::STATUS;
use crate::registry::listed;

/// Undoes what it can, and says in words how things stand.
pub(crate) async fn put_back(promotion: &Promotion<'_>) -> String {
    let target = &promotion.target;
    let outcome = go_back(promotion).await;
    let there = promotion.moves.holders(target).await;
    let holds = match &there {
        Ok(there) => {
            let mut archived = promotion.archived.take();
            archived.retain(|version| !there.contains(version));
            let stays = match archived.is_empty() {
                true => String::new(),
                false => format!(", and {} is archived", listed(&archived)),
            };
            format!("`{target}` holds {}{stays}", listed(there))
        }
        Err(_) => format!("what `{target}` holds could not be read"),
    };
    match outcome {
        Ok(Undone::Everything) => format!(
            "version {} was put back into `{}`; {holds}",
            promotion.version, promotion.from
        ),
        Ok(Undone::Nothing) => format!("nothing was moved; {holds}"),
        Err(error) => format!("not everything could be put back ({error}); {holds}"),
    }
}

enum Undone {
    Everything,
    Nothing,
}

async fn go_back(promotion: &Promotion<'_>) -> Result<Undone, ApiError> {
    let Promotion {
        moves,
        version,
        from,
        target,
        others,
        ..
    } = promotion;
    let mut undone = Undone::Nothing;
    let mut there = moves.holders(target).await?;
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
    if !there.contains(version) {
        restore_alias(promotion, &there).await?;
    }
    moves.tag(*version, STATUS, "undone").await?;
    Ok(undone)
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
