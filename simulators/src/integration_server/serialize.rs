//! Tenants, machines and tasks as elements (reference, sections 3 and 4).

use super::dates;
use super::dialect::Dialect;
use super::element::Element;
use super::installation::Installation;
use super::objects::{Machine, Tenant};
use super::refusal::Outcome as Answered;
use super::shapes::{Accepted, Encoding, Progress, Results, TaskErrors};
use super::task::{Fate, Outcome, State, Task};
use super::xml::{document, text};
use crate::answer::{Answer, Body, JSON};

impl Installation {
    /// 200 with a document.
    pub fn one(&self, root: &Element) -> Answered {
        Ok(self.written(200, root))
    }

    /// 200 with a list in its wrapper.
    pub fn many(&self, wrapper: usize, items: impl Iterator<Item = Element>) -> Answered {
        let mut items: Vec<Element> = items.collect();
        if self.dialect.newest_first {
            items.reverse();
        }
        if let ([item], true) = (items.as_slice(), self.dialect.bare_single) {
            return self.one(item);
        }
        let wrapper = Element::new(self.dialect.wrappers[wrapper]);
        let total = items.len().to_string();
        let wrapper = if self.dialect.strangers { wrapper.word("total", total) } else { wrapper };
        self.one(&wrapper.children(items))
    }

    /// The object itself if this dialect returns it after a change; else no body.
    pub fn echo(&self, status: u16, root: &Element) -> Answered {
        let empty = Answer { body: Body::Empty, ..Answer::empty(status) };
        Ok(if self.dialect.echoes { self.written(status, root) } else { empty })
    }

    fn written(&self, status: u16, root: &Element) -> Answer {
        Answer { status, ..Answer::raw(self.dialect.content_type, document(root, &self.dialect)) }
    }

    /// 202, with or without the task.
    pub fn accepted(&self, task: &str) -> Answered {
        let id = self.shown_id(task);
        let answer = match self.dialect.accepted {
            Accepted::Task => {
                let task = self.tasks.iter().find(|found| found.id == task);
                self.written(
                    202,
                    &task.map_or_else(|| Element::new("task"), |task| self.task(task)),
                )
            }
            Accepted::Response => {
                let task = Element::new("task").attribute("id", id);
                self.written(202, &Element::new("response").child(task))
            }
            Accepted::TaskId => self.written(202, &Element::new("taskId").own_word(id)),
            Accepted::PlainText => Answer::raw("text/plain; charset=utf-8", format!("{id}\r\n")),
            Accepted::Json => Answer::raw(JSON, format!("{{\"id\":\"{id}\"}}")),
            Accepted::Location => {
                let location = format!("/api/2.0/virtualization/tasks/{id}");
                Answer { headers: vec![("location", location)], ..Answer::empty(202) }
            }
            Accepted::Nothing => Answer::empty(202),
        };
        Ok(Answer { status: 202, ..answer })
    }

    pub fn shown_id(&self, id: &str) -> String {
        if self.dialect.upper_case_ids { id.to_uppercase() } else { id.to_owned() }
    }

    fn date(&self, millis: i64) -> String {
        dates::written(millis, self.utc_offset, self.dialect.dates)
    }

    pub fn tenant_element(&self, tenant: &Tenant) -> Element {
        let server = tenant.server.as_ref().map(|server| {
            let user = Element::new("user").free("name", Some(&server.administrator));
            Element::new("vKsc").attribute("id", server.id.to_string()).child(user)
        });
        Element::new("tenant")
            .attribute("id", self.shown_id(&tenant.id))
            .attribute("created", self.date(tenant.created))
            .attribute("updated", self.date(tenant.updated))
            .free("name", Some(&tenant.name))
            .free("description", tenant.description.as_deref())
            .data("userData", tenant.user_data.as_deref())
            .optional("vKsc", server)
            .word("status", if tenant.active { "Active" } else { "Inactive" })
            .word("type", tenant.kind.name())
    }

    pub fn machine(&self, machine: &Machine) -> Element {
        Element::new("vm")
            .attribute("id", self.shown_id(&machine.id))
            .attribute("biosId", &machine.bios_id)
            .attribute("created", self.date(machine.created))
            .attribute("updated", self.date(machine.updated))
            .free("name", machine.name.as_deref())
            .data("userData", machine.user_data.as_deref())
    }

    pub fn task(&self, task: &Task) -> Element {
        let element = Element::new("task")
            .attribute("id", self.shown_id(&task.id))
            .attribute("created", self.date(task.created))
            .attribute("stateChanged", self.date(task.state_changed))
            .attribute("changed", self.date(task.changed))
            .word("state", self.state(task))
            .word("type", &task.kind)
            .free("stage", task.stage().map(|stage| stage.title()));
        let progress = task.progress(self.clock.now());
        let element = match self.dialect.progress {
            Progress::Whole => element.word("progress", format!("{progress:.0}")),
            Progress::Fraction => element.word("progress", format!("{progress:.1}")),
            Progress::Percent => element.word("progress", format!("{progress:.0}%")),
            Progress::Absent => element,
        };
        let result = task.outcome.as_ref().and_then(|outcome| self.result(outcome));
        let error = task.outcome.as_ref().and_then(|outcome| self.error(outcome));
        element.optional("result", result).optional("error", error)
    }

    /// The state in this dialect's words.
    pub fn state(&self, task: &Task) -> String {
        match (task.state, &task.fate) {
            (State::Canceled, _) => self.dialect.canceled.to_owned(),
            (State::Running, Some(Fate::InState { name })) => name.clone(),
            (state, _) => format!("{state:?}"),
        }
    }

    fn result(&self, outcome: &Outcome) -> Option<Element> {
        let result = Element::new("result");
        let result = match outcome {
            Outcome::Tenant(tenant) => {
                let element = self.tenant_element(tenant);
                match self.dialect.results {
                    Results::Element => result.child(element),
                    Results::Escaped => {
                        let inner = Dialect { encoding: Encoding::Utf16Bom, ..self.dialect };
                        result.text(&text(&element, &inner))
                    }
                    Results::Cdata => result.cdata(&text(&element, &self.dialect)),
                    Results::Identifier => result.own_word(self.shown_id(&tenant.id)),
                }
            }
            Outcome::Confirmation => result.own_word("true"),
            Outcome::Report(id) => result.own_word(self.shown_id(id)),
            Outcome::Error(_) => return None,
        };
        Some(result)
    }

    fn error(&self, outcome: &Outcome) -> Option<Element> {
        let Outcome::Error(code) = outcome else { return None };
        let error = Element::new("error");
        Some(match self.dialect.task_errors {
            TaskErrors::Text => error.own_word(format!("{code}: see viis-node-1.internal")),
            TaskErrors::CodeAndMessage => {
                error.word("code", code).word("message", "see viis-node-1.internal")
            }
            TaskErrors::Attribute => error.attribute("code", code),
        })
    }
}
