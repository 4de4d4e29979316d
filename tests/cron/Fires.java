// What the real Quartz answers to lines `ZONE|START|CRON`: `ok TIME ... [end]`, or `no WHY`. A line `ZONE` alone is
// answered with a sum over the zone's offsets from 2000 to 2110, by which it is seen whether two databases agree.
import java.io.*;
import java.time.Instant;
import java.util.*;
import org.quartz.CronExpression;

public class Fires {
    public static void main(String[] arguments) throws Exception {
        int count = Integer.parseInt(arguments[0]);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
        PrintStream out = new PrintStream(new BufferedOutputStream(System.out), false, "UTF-8");
        for (String line; (line = in.readLine()) != null; ) {
            String asked = line;
            String[] answer = {"no end: it looks for a time without end"};
            Thread thread = new Thread(() -> answer[0] = asked.contains("|") ? fires(asked.split("\\|", 3), count) : sum(asked));
            thread.setDaemon(true);
            thread.start();
            thread.join(3000);
            out.println(answer[0]);
        }
        out.flush();
        // A thread that looks for ever is not waited for.
        System.exit(0);
    }

    static String sum(String zone) {
        TimeZone known = TimeZone.getTimeZone(zone);
        long sum = 0;
        Instant end = Instant.parse("2110-01-01T00:00:00Z");
        for (Instant at = Instant.parse("2000-01-01T00:00:00Z"); at.isBefore(end); at = at.plusSeconds(302400)) {
            sum = (sum * 31 + known.getOffset(at.toEpochMilli()) / 1000) % 1000000007L;
        }
        return Long.toString(sum);
    }

    static String fires(String[] parts, int count) {
        StringBuilder answer = new StringBuilder("ok");
        try {
            CronExpression expression = new CronExpression(parts[2]);
            expression.setTimeZone(TimeZone.getTimeZone(parts[0]));
            Date at = Date.from(Instant.parse(parts[1]));
            for (int i = 0; i < count; i++) {
                at = expression.getNextValidTimeAfter(at);
                if (at == null) return answer.append(" end").toString();
                answer.append(' ').append(at.toInstant());
            }
            return answer.toString();
        } catch (java.text.ParseException | NoSuchElementException e) {
            return "no " + String.valueOf(e.getMessage()).replace('\n', ' ');
        }
    }
}
