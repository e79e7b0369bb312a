using System.Diagnostics;
using System.Globalization;
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
/// Fifty users, or fewer, and support against providers that fail at random, while two nodes and PostgreSQL are killed with SIGKILL and started again, nodes are frozen
/// past their leases, the database refuses to write and the disk is full; durability on. When it is over everything is counted.
/// </summary>
public static class FaultCampaign
{
    /// <summary>As many as keep two nodes busy.</summary>
    public const int AllUsers = 50;

    public static async Task<FaultReport> RunAsync(double minutes, int seed, TextWriter output, int users = AllUsers)
    {
        await output.WriteLineAsync(
            string.Create(
                CultureInfo.InvariantCulture,
                $"==> {minutes} minutes, {users} users, seed {seed} (again: ./reelbase bench faults --minutes {minutes} --seed {seed})"
            )
        );
        await using var world = await FaultWorld.CreateAsync();
        var tally = new FaultTally();
        using var over = new CancellationTokenSource();
        var players = Enumerable.Range(0, users).Select(number => new FaultUser(world, tally, number, seed * 1000 + number)).ToList();
        using var support = new FaultSupport(world, tally, seed * 1000 + users);
        List<Task> playing = [.. players.Select(player => player.PlayAsync(over.Token)), support.PlayAsync(over.Token)];
        if (!world.Disk.IsMounted)
        {
            await output.WriteLineAsync("WARNING: this user may not mount a file system, so the disk never fills up in this campaign (run it as root)");
        }
        using var control = new HttpClient { BaseAddress = new Uri(world.SimulatorsUrl) };
        var acts = new FaultActs(world, new Random(seed), control);
        await BreakAsync(acts, tally, minutes, output);
        await over.CancelAsync();
        await output.WriteLineAsync("==> The faults are over; waiting for all work to come to rest");
        await acts.EndAsync();
        await Task.WhenAll(playing);
        players.ForEach(player => player.Dispose());
        var rest = await FaultChecks.RestAsync(world);
        List<FaultCheck> checks = [rest, .. await FaultChecks.AllAsync(world, tally)];
        var report = new FaultReport(
            seed,
            minutes,
            acts.Count("kill -9 of a node"),
            acts.Count("kill -9 of PostgreSQL"),
            tally.Accepted.Count,
            await FiguresAsync(world, tally, acts, seed, minutes, users),
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
            await output.WriteLineAsync(
                string.Join('\n', world.Nodes.Select(node => $"The last lines of {node.Name}:\n{string.Join('\n', node.Lines.TakeLast(20))}"))
            );
        }
        await output.WriteLineAsync(report.IsGood ? $"Clean. Seed {seed}." : $"NOT CLEAN. Seed {seed}.");
        return report;
    }

    /// <summary>One fault after the other until the time is over.</summary>
    private static async Task BreakAsync(FaultActs acts, FaultTally tally, double minutes, TextWriter output)
    {
        var watch = Stopwatch.StartNew();
        var said = 0.0;
        while (watch.Elapsed.TotalMinutes < minutes || !acts.HasDoneAll)
        {
            await acts.NextAsync();
            if (watch.Elapsed.TotalSeconds - said > 10)
            {
                said = watch.Elapsed.TotalSeconds;
                await output.WriteLineAsync(
                    string.Create(CultureInfo.InvariantCulture, $"    {watch.Elapsed:mm\\:ss}  {acts}; jobs accepted {tally.Accepted.Count}")
                );
            }
        }
    }

    private static async Task<List<(string, string)>> FiguresAsync(FaultWorld world, FaultTally tally, FaultActs acts, int seed, double minutes, int users)
    {
        async Task<string> OneAsync(string sql) => (await world.RowsAsync(sql))[0][0];
        var ends = await world.RowsAsync(
            "select status || coalesce(' ' || error_code, '') || case when deleted_at is null then '' else ', deleted' end, count(*) from video_jobs group by 1 order by 1"
        );
        return
        [
            ("seed", seed.ToString(CultureInfo.InvariantCulture)),
            ("minutes", minutes.ToString(CultureInfo.InvariantCulture)),
            ("users at once", users.ToString(CultureInfo.InvariantCulture)),
            .. acts.Figures,
            (
                "support's actions (of them accepted)",
                string.Join("; ", tally.SupportActions.OrderBy(action => action.Key).Select(action => $"{action.Key}: {action.Value}"))
            ),
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
