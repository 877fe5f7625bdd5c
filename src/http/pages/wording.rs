//! Values as the pages show them to people.

use jiff::Timestamp;

/// A time in RFC 3339 as `28 November 2026, 21:10 UTC`; any other text as it is.
pub fn time(text: &str) -> String {
    match text.parse::<Timestamp>() {
        Ok(time) => time.strftime("%-d %B %Y, %H:%M UTC").to_string(),
        Err(_) => text.to_owned(),
    }
}

/// Words in a `User-Agent`, with the browser that each stands for. The first match counts: Edge
/// also names Chrome, and Chrome also names Safari.
const BROWSERS: [(&str, &str); 8] = [
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];

/// Marks of systems, in the same order.
const SYSTEMS: [(&str, &str); 7] = [
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
];

/// The browser and the system that a `User-Agent` names, such as `Firefox on Windows`; any other
/// text as it is.
pub fn browser(user_agent: &str) -> String {
    let named = |marks: &[(&str, &'static str)]| {
        marks.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, name)| *name)
    };
    match (named(&BROWSERS), named(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        (None, _) => user_agent.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_told_in_words_to_the_minute() {
        assert_eq!(time("2026-11-28T21:10:01.5Z"), "28 November 2026, 21:10 UTC");
        assert_eq!(time("2026-01-02T03:04:05Z"), "2 January 2026, 03:04 UTC");
        assert_eq!(time("soon"), "soon");
    }

    #[test]
    fn browsers_and_systems_are_told_apart() {
        let chromium = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
            Chrome/150.0.0.0 Safari/537.36";
        let mobile = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) Version/18.1 \
            Mobile/15E148 Safari/604.1";
        for (user_agent, told) in [
            (chromium, "Chrome on Linux"),
            (&*format!("{chromium} Edg/150.0"), "Edge on Linux"),
            (mobile, "Safari on iPhone"),
            (
                "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0",
                "Firefox on Windows",
            ),
            ("curl/8.5.0", "curl/8.5.0"),
            ("unknown browser", "unknown browser"),
        ] {
            assert_eq!(browser(user_agent), told);
        }
    }
}
