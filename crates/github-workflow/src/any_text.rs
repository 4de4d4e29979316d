//! The readers accept any text: whatever a workflow file says, they answer or refuse, and never panic.

use proptest::prelude::*;

use crate::evaluate::Scope;
use crate::expression::Expression;
use crate::read::Workflow;
use crate::template::Template;

const WORKFLOW: &str =
    include_str!("../../../tests/fixtures/rehearse/.github/workflows/deploy-jobs.yml");

/// Texts that are nearly expressions.
fn nearly_an_expression() -> impl Strategy<Value = String> {
    let token = prop_oneof![
        Just("github"),
        Just(".sha"),
        Just("["),
        Just("]"),
        Just("("),
        Just(")"),
        Just("'x'"),
        Just("'"),
        Just("!"),
        Just("=="),
        Just("<="),
        Just("&&"),
        Just("||"),
        Just("1.5"),
        Just("-"),
        Just("0x"),
        Just(","),
        Just("*"),
        Just("format"),
        Just("fromJSON"),
        Just("join"),
        Just(" "),
        Just("é"),
        Just("{0}"),
        Just("}}"),
        Just("${{"),
    ];
    prop::collection::vec(token, 0..20).prop_map(|tokens| tokens.concat())
}

proptest! {
    #[test]
    fn any_text_is_an_expression_or_is_refused(text in prop_oneof![nearly_an_expression(), any::<String>()]) {
        if let Ok(expression) = Expression::parse(&text) {
            let _ = Scope::default().value(&expression);
            let _ = expression.chain();
        }
        let _ = Template::parse(&text).map(|template| Scope::default().text(&template));
    }

    #[test]
    fn any_text_is_a_workflow_or_is_refused_with_a_reason(text in any::<String>()) {
        let mut problems = Vec::new();
        if Workflow::read("w.yml", &text, &mut problems).is_none() {
            prop_assert!(!problems.is_empty());
        }
    }

    #[test]
    fn a_workflow_with_a_piece_cut_out_is_read_or_refused(from in 0..WORKFLOW.len(), length in 0..200_usize) {
        let to = (from + length).min(WORKFLOW.len());
        prop_assume!(WORKFLOW.is_char_boundary(from) && WORKFLOW.is_char_boundary(to));
        let text = format!("{}{}", &WORKFLOW[..from], &WORKFLOW[to..]);
        let mut problems = Vec::new();
        let workflow = Workflow::read("w.yml", &text, &mut problems);
        prop_assert!(workflow.is_some() || !problems.is_empty());
    }
}
