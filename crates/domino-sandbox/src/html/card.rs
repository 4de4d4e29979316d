//! A card of the board: one thing that runs, with its data plane. Each noun decides what its card says.

use super::escaped;

/// One thing that runs. Texts that may contain markup are marked as such.
pub(crate) struct Card {
    /// The data plane, by its name.
    pub(crate) plane: String,
    /// Its name, as markup.
    pub(crate) title: String,
    /// The kind of thing: `app`.
    pub(crate) kind: &'static str,
    /// Whether it is in order.
    pub(crate) health: Health,
    /// Its status in Domino's word.
    pub(crate) word: String,
    /// Further facts, as names and markup; empty ones are left out.
    pub(crate) rows: Vec<(&'static str, String)>,
}

/// Whether something is in order.
#[derive(Clone, Copy)]
pub(crate) enum Health {
    Well,
    UnderWay,
    Wrong,
    Quiet,
}

impl Card {
    /// The card as markup.
    pub(crate) fn html(&self) -> String {
        let class = match self.health {
            Health::Well => "well",
            Health::UnderWay => "under-way",
            Health::Wrong => "wrong",
            Health::Quiet => "quiet",
        };
        let rows = self.rows.iter().filter(|(_, value)| !value.is_empty());
        let rows: String = rows
            .map(|(name, value)| format!("<div><dt>{name}</dt><dd>{value}</dd></div>"))
            .collect();
        format!(
            "<article class=\"card {class}\"><h3>{} <small>{}</small></h3><p class=\"badge\">{}</p><dl>{rows}</dl></article>\n",
            self.title,
            self.kind,
            escaped(&self.word)
        )
    }
}
