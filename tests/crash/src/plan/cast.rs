//! Owns who takes part in a round: publishers, subscribers of many kinds, wills, sessions that end. How they do
//! what they are told is the client's business.

use super::{
    Act, Comeback, IndependentPart, IndependentTask, Lasting, Manner, Part, Publishing, TopicKind, TopicPart,
    Wanted, WillPart,
};
use crate::random::Random;
use mqtt_codec::{ProtocolVersion, QoS, TopicFilter, TopicName};
use std::time::Duration;

const VERSIONS: [ProtocolVersion; 2] = [ProtocolVersion::V311, ProtocolVersion::V5];
const LASTING: Lasting = Lasting::Seconds(3600);
/// Messages of all publishers of a round together.
const MESSAGES_MAX: usize = 4000;
/// Fewer than the packet identifiers that rumqttc goes through before it begins anew.
const INDEPENDENT_MESSAGES_MAX: usize = 400;

/// Everybody, our own clients and those of other people.
pub(super) fn draw(prefix: &str, load_ms: u64, random: &mut Random) -> (Vec<Part>, Vec<IndependentPart>) {
    let mut cast = Cast { prefix, load_ms, random, parts: Vec::new() };
    let publishers = cast.random.count(3, 6);
    for number in 0..publishers {
        cast.publisher(number, MESSAGES_MAX / publishers);
    }
    for number in 0..cast.random.count(4, 7) {
        cast.subscriber(number, publishers);
    }
    cast.share_group();
    cast.watchers();
    cast.passing();
    let Cast { parts, .. } = cast;
    (parts, independents(prefix, random))
}

struct Cast<'a> {
    prefix: &'a str,
    load_ms: u64,
    random: &'a mut Random,
    parts: Vec<Part>,
}

impl Cast<'_> {
    /// A client with a session that outlives the round and nothing to do.
    fn part(&mut self, kind: &str, version: ProtocolVersion) -> Part {
        Part {
            name: format!("{}-{kind}-{}", self.prefix, self.parts.len()),
            version,
            lasting: LASTING,
            receive_maximum: self.random.pick(&[5, 20, 100, 1000]),
            subscriptions: Vec::new(),
            agenda: Vec::new(),
            publishing: None,
            manner: Manner::Prompt,
            will: None,
            comeback: Comeback::AfterMs(self.random.between(0, 40)),
            random: self.random.fork(),
        }
    }

    fn publisher(&mut self, number: usize, messages_max: usize) {
        let version = VERSIONS[number % 2];
        let mut part = self.part("publisher", version);
        let prefix = self.prefix;
        let topic = |place: &str, qos, kind| TopicPart { topic: name(prefix, place), qos, kind };
        let mut topics = vec![
            topic(&format!("load/{number}/a"), QoS::AtLeastOnce, TopicKind::Plain),
            topic(&format!("load/{number}/b"), QoS::ExactlyOnce, TopicKind::Plain),
            topic(&format!("shared/{number}"), self.qos(), TopicKind::Plain),
        ];
        for kept in 0..self.random.count(1, 3) {
            topics.push(topic(&format!("kept/{number}/{kept}"), self.qos(), TopicKind::Kept));
        }
        if version == ProtocolVersion::V5 {
            topics.push(topic(&format!("brief/{number}"), self.qos(), TopicKind::Expiring(1)));
            topics.push(topic(&format!("load/{number}/slow"), self.qos(), TopicKind::Expiring(600)));
        }
        if self.random.chance(15) {
            part.lasting = Lasting::Not;
        } else if version == ProtocolVersion::V5 {
            // What others publish, which is nothing: it must never come back to who published it.
            let own = self.wanted(&format!("load/{number}/+"), version);
            part.subscriptions.push(Wanted { no_local: true, ..own });
        }
        let interval_us = self.random.between(500, 6000);
        let window = self.random.pick(&[1, 4, 16, 64]);
        part.publishing = Some(Publishing { topics, window, interval_us, messages_max });
        self.parts.push(part);
    }

    fn subscriber(&mut self, number: usize, publishers: usize) {
        let version = self.random.pick(&VERSIONS);
        let mut part = self.part("subscriber", version);
        let publisher = self.random.count(0, publishers - 1);
        let place = match number % 4 {
            0 => "load/#".to_owned(),
            1 => "load/+/b".to_owned(),
            2 => format!("load/{publisher}/a"),
            _ => "load/+/+".to_owned(),
        };
        let first = self.wanted(&place, version);
        part.subscriptions = vec![first, self.wanted("end", version)];
        if self.random.chance(40) {
            part.subscriptions.push(self.wanted("brief/#", version));
        }
        if self.random.chance(30) {
            // It overlaps with the first.
            part.subscriptions.push(self.wanted(&format!("load/{publisher}/+"), version));
        }
        part.manner = match self.random.between(0, 9) {
            0..=2 => Manner::Slow { delay_us: self.random.between(1000, 20_000) },
            3..=5 => Manner::Withholding { answers: u32::try_from(self.random.between(0, 60)).unwrap_or(0) },
            _ => Manner::Prompt,
        };
        match self.random.between(0, 9) {
            0 | 1 => {
                part.agenda.push((self.random.between(0, self.load_ms / 4), Act::Leave));
                part.comeback = Comeback::WhenTheLoadIsOver;
            }
            2 | 3 => {
                let leave = self.random.between(0, self.load_ms / 2);
                part.agenda.push((leave, Act::Leave));
                part.agenda.push((leave + self.random.between(10, 300), Act::Return));
            }
            4 => part.comeback = Comeback::WhenTheLoadIsOver,
            5 | 6 => {
                let at = self.random.between(0, self.load_ms);
                part.agenda.push((at, Act::Subscribe(self.wanted("shared/+", version))));
            }
            7 => {
                part.subscriptions.truncate(2);
                part.agenda.push((self.random.between(0, self.load_ms), Act::Unsubscribe));
            }
            _ => {}
        }
        self.parts.push(part);
    }

    /// Members of one shared subscription, each of another manner.
    fn share_group(&mut self) {
        let qos = self.qos();
        for _ in 0..self.random.count(2, 3) {
            let version = self.random.pick(&VERSIONS);
            let mut part = self.part("member", version);
            let text = format!("$share/group/{}/shared/#", self.prefix);
            part.subscriptions = vec![Wanted { filter: filter(text), qos, ..self.wanted("end", version) }];
            if self.random.chance(40) {
                part.manner = Manner::Slow { delay_us: self.random.between(1000, 10_000) };
            }
            self.parts.push(part);
        }
    }

    /// Who sees every will, every retained message as it is published, and who keeps the one that comes last.
    fn watchers(&mut self) {
        for version in VERSIONS {
            let mut part = self.part("will-watcher", version);
            let wills = Wanted { qos: QoS::ExactlyOnce, ..self.wanted("will/#", version) };
            part.subscriptions = vec![wills];
            self.parts.push(part);
        }
        let mut part = self.part("kept-watcher", ProtocolVersion::V5);
        let kept = self.wanted("kept/#", ProtocolVersion::V5);
        part.subscriptions = vec![Wanted { retain_as_published: true, ..kept }];
        self.parts.push(part);
    }

    /// Clients without a lasting session, with sessions that end or expire, and with wills.
    fn passing(&mut self) {
        let version = self.random.pick(&VERSIONS);
        let mut clean = self.part("clean", version);
        clean.lasting = Lasting::Not;
        clean.subscriptions = vec![self.wanted("load/#", clean.version)];
        self.parts.push(clean);

        let version = self.random.pick(&VERSIONS);
        let mut ending = self.part("ending", version);
        ending.subscriptions = vec![self.wanted("load/#", ending.version)];
        ending.agenda.push((self.random.between(0, self.load_ms / 3), Act::EndSession));
        self.parts.push(ending);

        let mut expiring = self.part("expiring", ProtocolVersion::V5);
        expiring.lasting = Lasting::Seconds(self.random.pick(&[1, 10]));
        expiring.subscriptions = vec![self.wanted("load/#", ProtocolVersion::V5)];
        expiring.comeback = Comeback::WhenTheLoadIsOver;
        if self.random.chance(50) {
            expiring.agenda.push((self.random.between(0, self.load_ms / 3), Act::Leave));
        }
        self.parts.push(expiring);

        for number in 0..self.random.count(1, 3) {
            let version = self.random.pick(&VERSIONS);
            let mut mortal = self.part("mortal", version);
            let delay_seconds =
                if version == ProtocolVersion::V5 { self.random.pick(&[0, 1, 60]) } else { 0 };
            mortal.will =
                Some(WillPart { topic: name(self.prefix, &format!("will/{number}")), delay_seconds });
            mortal.comeback = if delay_seconds == 60 { mortal.comeback } else { Comeback::Never };
            self.parts.push(mortal);
        }
    }

    fn wanted(&mut self, place: &str, version: ProtocolVersion) -> Wanted {
        let identifier = u32::try_from(self.random.between(1, 500)).ok();
        let identifier = identifier.filter(|_| version == ProtocolVersion::V5 && self.random.chance(50));
        let filter = filter(format!("{}/{place}", self.prefix));
        Wanted { filter, qos: self.qos(), identifier, no_local: false, retain_as_published: false }
    }

    fn qos(&mut self) -> QoS {
        self.random.pick(&[QoS::AtLeastOnce, QoS::ExactlyOnce])
    }
}

/// Half of the rounds have clients of other people, too.
fn independents(prefix: &str, random: &mut Random) -> Vec<IndependentPart> {
    if random.chance(50) {
        return Vec::new();
    }
    let mut parts = Vec::new();
    for (number, version) in VERSIONS.into_iter().enumerate() {
        let task = IndependentTask::Publish {
            topic: name(prefix, &format!("load/rumqttc-{number}/a")),
            qos: random.pick(&[QoS::AtLeastOnce, QoS::ExactlyOnce]),
            messages_max: INDEPENDENT_MESSAGES_MAX,
            interval: Duration::from_micros(random.between(1000, 6000)),
        };
        parts.push(IndependentPart { name: format!("{prefix}-rumqttc-publisher-{number}"), version, task });
        let filter = filter(format!("{prefix}/{}", random.pick(&["load/+/a", "load/#"])));
        let name = format!("{prefix}-rumqttc-subscriber-{number}");
        parts.push(IndependentPart { name, version, task: IndependentTask::Subscribe { filter } });
    }
    parts
}

fn name(prefix: &str, place: &str) -> TopicName {
    TopicName::owned(format!("{prefix}/{place}")).expect("the plan has legal topics")
}

fn filter(text: String) -> TopicFilter {
    TopicFilter::owned(text).expect("the plan has legal filters")
}
