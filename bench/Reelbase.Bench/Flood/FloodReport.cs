using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Npgsql;

namespace Reelbase.Bench.Flood;

/// <summary>The figures of a flood and whether each promise was kept.</summary>
public sealed class FloodReport
{
    private const double MayDiffer = 0.02;
    private const double MayGrowMegabytes = 32;
    private const double MayGrow = 0.1;
    private const double MayRise = 0.05;

    /// <summary>What <c>log_errors</c> keeps of one code and route in a minute, and the routes and codes of this flood.</summary>
    private const int RowsPerRoute = 100;

    private readonly List<(string What, string Value, string Promise, bool IsGood)> _lines = [];

    public required string Load { get; init; }
    public required int Connections { get; init; }
    public required int Addresses { get; init; }
    public required double Seconds { get; init; }

    /// <summary>Whether every promise was kept.</summary>
    public bool IsGood => _lines.TrueForAll(line => line.IsGood);

    public void Offered(int planned, int answered, int seconds) =>
        Add(
            "requests answered",
            Text($"{answered} of {planned}, {answered / Seconds:0} per second, {Seconds:0} s"),
            Text($"all of them, in {seconds} s where the machine can"),
            answered == planned
        );

    public void Accepted(string what, int accepted, double least, double? most = null)
    {
        var (low, high) = (least, most ?? least);
        var differs =
            accepted < low ? (accepted - low) / low
            : accepted > high ? (accepted - high) / high
            : 0;
        Add(
            "accepted: " + what,
            Text($"{accepted} of {low:0}{(most is null ? "" : Text($" to {high:0}"))} allowed ({differs:+0.0 %;-0.0 %;0.0 %})"),
            "within 2 %",
            Math.Abs(differs) <= MayDiffer
        );
    }

    public void NothingElse(Dictionary<string, int> others, int broken, string? why) =>
        Add(
            "answers other than 200 and 429, and connections that broke",
            others.Count == 0 && broken == 0
                ? "none"
                : string.Join(", ", others.Select(other => $"{other.Key}: {other.Value}").Append($"broken: {broken} {why}")),
            "none",
            others.Count == 0 && broken == 0
        );

    /// <summary>Of users with a session: alone, beside open connections, in the flood, and while the same flood went to a server that only refuses.</summary>
    public void Latency(List<SignedInAnswer> quiet, List<SignedInAnswer> beside, List<SignedInAnswer> flooded, List<SignedInAnswer> ceiling)
    {
        const double PartSeconds = 10;
        var (before, during) = (Percentile(quiet, 0.95), Percentile(flooded, 0.95));
        Add("signed-in users, p50 and p95 without the flood", Text($"{Percentile(quiet, 0.5):0.0} and {before:0.0} ms ({quiet.Count} requests)"), "", true);
        Add("the same beside every connection open", Text($"{Percentile(beside, 0.5):0.0} and {Percentile(beside, 0.95):0.0} ms"), "", true);
        Add(
            "signed-in users, p50 and p95 in the flood",
            Text($"{Percentile(flooded, 0.5):0.0} and {during:0.0} ms ({flooded.Count} requests, {during / before:0.0} times)"),
            "p95 at most doubled",
            during <= before * 2
        );
        Add(
            Text($"their p95 by {PartSeconds:0} s of the flood"),
            string.Join(
                ", ",
                flooded.GroupBy(answer => (int)(answer.AtSeconds / PartSeconds)).OrderBy(part => part.Key).Select(part => Text($"{Percentile(part, 0.95):0.0}"))
            ) + " ms",
            "",
            true
        );
        Add(
            "ceiling: their p50 and p95 while the same flood goes to a Kestrel that only refuses",
            Text($"{Percentile(ceiling, 0.5):0.0} and {Percentile(ceiling, 0.95):0.0} ms ({Percentile(ceiling, 0.95) / before:0.0} times)"),
            "",
            true
        );
    }

    /// <summary>Memory before, with every connection open, with each served once, in the thirds of the flood, and when all connections are closed.</summary>
    public void Memory(double alone, double open, double served, List<double> megabytes, double after)
    {
        var thirds = megabytes.Index().GroupBy(sample => sample.Index * 3 / megabytes.Count).Select(part => part.Average(sample => sample.Item)).ToList();
        Add(
            "resident memory before; with all connections open; each served once; all closed again",
            Text($"{alone:0}, {open:0}, {served:0} and {after:0} MB"),
            "",
            true
        );
        Add(
            "resident memory in the flood's thirds; its peak",
            string.Join(", ", thirds.Select(third => Text($"{third:0}"))) + Text($"; {megabytes.Max():0} MB"),
            Text(
                $"the peak at most {MayGrow:0 %} and {MayGrowMegabytes:0} MB above each served once, and the last third at most {MayRise:0 %} above the first"
            ),
            megabytes.Max() <= (served * (1 + MayGrow)) + MayGrowMegabytes && thirds[^1] <= thirds[0] * (1 + MayRise)
        );
    }

    /// <summary>Where the time of the machine went; no promise, but the first thing to look at when one is broken.</summary>
    public void Costs(FloodCosts costs, int refused)
    {
        var all = Math.Max(0.01, costs.Server + costs.Database + costs.Client);
        Add(
            "CPU of server, PostgreSQL and this client; transactions",
            Text(
                $"{costs.Server:0} s ({costs.Server / all:0 %}), {costs.Database:0} s ({costs.Database / all:0 %}), {costs.Client:0} s ({costs.Client / all:0 %}); {costs.Transactions} for {refused} refusals and what was accepted"
            ),
            "",
            true
        );
    }

    public async Task ErrorLogAsync(Stage stage, double seconds)
    {
        await using var connection = new NpgsqlConnection(stage.Owner);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(
            "select error_code, endpoint, count(*), sum(occurrences)::bigint from error_log group by 1, 2 order by 1, 2",
            connection
        );
        await using var reader = await command.ExecuteReaderAsync();
        var (isGood, minutes, said) = (true, Math.Ceiling(seconds / 60) + 1, new List<string>());
        while (await reader.ReadAsync())
        {
            var (code, endpoint, rows, counted) = (reader.GetString(0), reader.GetString(1), reader.GetInt64(2), reader.GetInt64(3));
            isGood &= rows <= RowsPerRoute * minutes && code == "ERR_4004";
            said.Add($"{code} {endpoint}: {rows} rows for {counted}");
        }
        Add("error_log", string.Join("; ", said), Text($"refusals by limits only, {RowsPerRoute} rows a minute for each route"), isGood);
    }

    public void Ledger(long wrong) => Add("ledgers that do not add up", Text($"{wrong}"), "none", wrong == 0);

    public void Print()
    {
        foreach (var (what, value, promise, isGood) in _lines)
        {
            System.Console.WriteLine($"{what, -60} {value, -50} {(promise.Length == 0 ? "" : (isGood ? "kept: " : "BROKEN: ") + promise)}");
        }
        System.Console.WriteLine(IsGood ? "Every promise was kept." : "A promise was broken.");
    }

    /// <summary>Writes bench/flood.md.</summary>
    public void Record(string[] args)
    {
        var text = new StringBuilder();
        text.Append(
            CultureInfo.InvariantCulture,
            $"""
            # A flood

            Made by `./reelbase bench flood {string.Join(
                ' ',
                args
            )}` on {DateTime.UtcNow:yyyy-MM-dd}: {RuntimeInformation.OSDescription}, {Environment.ProcessorCount} cores shared by PostgreSQL, the server,
            {Connections} connections and whatever else ran there (load {Load} before it began); {Addresses} addresses, a third each IPv4, IPv4 written as IPv6 now and then, and IPv6
            networks, behind a proxy on loopback. Limits: {FloodPlan.DevicesPerAddress} new devices an address, {FloodPlan.GenerationsPerGuest} generations a guest, {FloodPlan.GatePerSecond} request a second after {FloodPlan.GateBurst} at the gate; {FloodPlan.Times} times as much came.

            | what | figure | promise |
            |---|---|---|

            """
        );
        foreach (var (what, value, promise, isGood) in _lines)
        {
            text.Append(
                CultureInfo.InvariantCulture,
                $"| {what} | {value} | {(promise.Length == 0 ? "" : promise + (isGood ? ": kept" : ": **broken**"))} |\n"
            );
        }
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "reelbase.slnx")))
            {
                File.WriteAllText(Path.Combine(folder.FullName, "bench", "flood.md"), text.ToString());
                return;
            }
        }
    }

    private void Add(string what, string value, string promise, bool isGood) => _lines.Add((what, value, promise, isGood));

    private static double Percentile(IEnumerable<SignedInAnswer> answers, double share)
    {
        var times = answers.Select(answer => answer.Milliseconds).Order().ToList();
        return times[Math.Min(times.Count - 1, (int)(times.Count * share))];
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
