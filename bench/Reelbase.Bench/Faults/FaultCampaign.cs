using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text;

namespace Reelbase.Bench.Faults;

/// <summary>How a campaign went.</summary>
public sealed record FaultReport(
    int Seed,
    double Minutes,
    int ServerKills,
    int DatabaseKills,
    int Accepted,
    IReadOnlyList<(string What, string Figure)> Figures,
    IReadOnlyList<FaultCheck> Checks
)
{
    public bool IsGood => Checks.All(check => check.Broken.Count == 0);

    /// <summary>The figures and promises as Markdown.</summary>
    public string ToMarkdown()
    {
        var text = new StringBuilder("| figure | value |\n|---|---|\n");
        foreach (var (what, figure) in Figures)
        {
            text.Append(CultureInfo.InvariantCulture, $"| {what} | {figure} |\n");
        }
        text.Append("\n| promise | broken |\n|---|---|\n");
        foreach (var check in Checks)
        {
            text.Append(CultureInfo.InvariantCulture, $"| {check.Promise} | {(check.Broken.Count == 0 ? "never" : $"**{check.Broken.Count} times**")} |\n");
        }
        return text.ToString();
    }
}

/// <summary>
/// Fifty users against providers that fail at random, while the server and PostgreSQL are killed with SIGKILL and started again,
/// durability on. When it is over everything is counted.
/// </summary>
public static class FaultCampaign
{
    private const int Users = 50;
    private const double DatabaseShare = 0.2;
    private const double BothShare = 0.05;
    private const double OutageShare = 0.5;
    private static readonly string[] OutageKinds = ["down", "hang", "drop", "unauthorized", "balance", "bad-gateway", "gateway-timeout"];
    private static readonly string[] OutageSystems = ["fal", "fal/fal-ai/pika", "runway", "devicecheck", "fal/files"];

    public static async Task<FaultReport> RunAsync(double minutes, int seed, TextWriter output)
    {
        await output.WriteLineAsync(
            string.Create(
                CultureInfo.InvariantCulture,
                $"==> {minutes} minutes, {Users} users, seed {seed} (again: ./reelbase bench faults --minutes {minutes} --seed {seed})"
            )
        );
        await using var world = await FaultWorld.CreateAsync();
        var tally = new FaultTally();
        using var over = new CancellationTokenSource();
        var players = Enumerable.Range(0, Users).Select(number => new FaultUser(world, tally, number, seed * 1000 + number)).ToList();
        var users = players.Select(player => player.PlayAsync(over.Token)).ToList();
        var kills = await BreakAsync(world, tally, minutes, new Random(seed), output);
        await over.CancelAsync();
        await output.WriteLineAsync("==> The faults are over; waiting for all work to come to rest");
        using (var control = new HttpClient { BaseAddress = new Uri(world.SimulatorsUrl) })
        {
            foreach (var system in OutageSystems)
            {
                await SetOutageAsync(control, system, 0, "over");
            }
        }
        await Task.WhenAll(users);
        players.ForEach(player => player.Dispose());
        var rest = await FaultChecks.RestAsync(world);
        List<FaultCheck> checks = [rest, .. await FaultChecks.AllAsync(world, tally)];
        var report = new FaultReport(
            seed,
            minutes,
            kills.Server,
            kills.Database,
            tally.Accepted.Count,
            await FiguresAsync(world, tally, kills, seed, minutes),
            checks
        );
        foreach (var (what, figure) in report.Figures)
        {
            await output.WriteLineAsync($"{what}: {figure}");
        }
        foreach (var check in checks)
        {
            await output.WriteLineAsync($"{(check.Broken.Count == 0 ? "holds" : "BROKEN")}: {check.Promise}");
            foreach (var broken in check.Broken.Take(5))
            {
                await output.WriteLineAsync($"    {broken}");
            }
        }
        if (!report.IsGood)
        {
            await output.WriteLineAsync("The server's last lines:\n" + string.Join('\n', world.ServerLines.TakeLast(30)));
        }
        await output.WriteLineAsync(report.IsGood ? $"Clean. Seed {seed}." : $"NOT CLEAN. Seed {seed}.");
        return report;
    }

    private sealed record Kills(int Server, int Database, int Outages, double RestartSeconds);

    /// <summary>Kills, starts again and breaks providers until the time is over.</summary>
    private static async Task<Kills> BreakAsync(FaultWorld world, FaultTally tally, double minutes, Random random, TextWriter output)
    {
        using var control = new HttpClient { BaseAddress = new Uri(world.SimulatorsUrl) };
        var watch = Stopwatch.StartNew();
        var (server, database, outages, restarts) = (0, 0, 0, 0.0);
        var said = 0.0;
        while (watch.Elapsed.TotalMinutes < minutes)
        {
            await Task.Delay(TimeSpan.FromSeconds(0.4 + random.NextDouble() * 1.6));
            if (random.NextDouble() < OutageShare)
            {
                await SetOutageAsync(
                    control,
                    OutageSystems[random.Next(OutageSystems.Length)],
                    0.5 + random.NextDouble() * 4,
                    OutageKinds[random.Next(OutageKinds.Length)]
                );
                outages++;
            }
            var draw = random.NextDouble();
            var restart = Stopwatch.StartNew();
            if (draw < DatabaseShare + BothShare)
            {
                world.KillDatabase();
                database++;
                if (draw < BothShare)
                {
                    await world.KillServerAsync();
                    server++;
                }
                await world.StartDatabaseAsync();
                if (draw < BothShare)
                {
                    await world.StartServerAsync();
                }
            }
            else
            {
                await world.KillServerAsync();
                server++;
                await world.StartServerAsync();
            }
            restarts += restart.Elapsed.TotalSeconds;
            if (watch.Elapsed.TotalSeconds - said > 10)
            {
                said = watch.Elapsed.TotalSeconds;
                await output.WriteLineAsync(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"    {watch.Elapsed:mm\\:ss}  server killed {server}, PostgreSQL {database}, outages {outages}, jobs accepted {tally.Accepted.Count}"
                    )
                );
            }
        }
        return new(server, database, outages, restarts / Math.Max(1, server + database));
    }

    private static async Task SetOutageAsync(HttpClient control, string system, double seconds, string kind)
    {
        using var answer = await control.PostAsJsonAsync(
            "/_control/outage",
            new
            {
                system,
                seconds,
                kind,
            }
        );
    }

    private static async Task<List<(string, string)>> FiguresAsync(FaultWorld world, FaultTally tally, Kills kills, int seed, double minutes)
    {
        async Task<string> OneAsync(string sql) => (await world.RowsAsync(sql))[0][0];
        var ends = await world.RowsAsync(
            "select status || coalesce(' ' || error_code, '') || case when deleted_at is null then '' else ', deleted' end, count(*) from video_jobs group by 1 order by 1"
        );
        return
        [
            ("seed", seed.ToString(CultureInfo.InvariantCulture)),
            ("minutes", minutes.ToString(CultureInfo.InvariantCulture)),
            ("users at once", Users.ToString(CultureInfo.InvariantCulture)),
            ("`kill -9` of the server", kills.Server.ToString(CultureInfo.InvariantCulture)),
            ("`kill -9` of PostgreSQL", kills.Database.ToString(CultureInfo.InvariantCulture)),
            ("outages of providers and Apple", kills.Outages.ToString(CultureInfo.InvariantCulture)),
            ("a restart took, on average", string.Create(CultureInfo.InvariantCulture, $"{kills.RestartSeconds:0.0} s")),
            ("jobs accepted", tally.Accepted.Count.ToString(CultureInfo.InvariantCulture)),
            ("how they ended", string.Join("; ", ends.Select(row => $"{row[1]} {row[0]}"))),
            ("submissions", await OneAsync("select count(*) from job_submissions")),
            (
                "of them ambiguous at first",
                await OneAsync(
                    "select count(*) from job_submissions where detail like '%worker ended%' or detail like 'no complete answer%' or detail like 'the submission answered 50%' or outcome = 'ambiguous'"
                )
            ),
            ("webhooks stored", await OneAsync("select count(*) from webhook_deliveries")),
            ("ledger rows", await OneAsync("select count(*) from quota_log")),
            ("files stored", await OneAsync("select count(*) from storage_objects where state = 'stored'")),
            ("videos played by users during it", tally.VideosPlayed.ToString(CultureInfo.InvariantCulture)),
            ("presses repeated with their key", tally.Replays.ToString(CultureInfo.InvariantCulture)),
            (
                "answers by status (0: the connection broke)",
                string.Join(", ", tally.Answers.OrderBy(answer => answer.Key).Select(answer => $"{answer.Key}: {answer.Value}"))
            ),
        ];
    }
}
