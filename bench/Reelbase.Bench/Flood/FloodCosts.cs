using System.Globalization;
using Npgsql;

namespace Reelbase.Bench.Flood;

/// <summary>What a flood costs: seconds of CPU by who used them, and transactions of the database.</summary>
/// <param name="Server">The server's seconds.</param>
/// <param name="Database">Those of PostgreSQL's processes that were there at both ends.</param>
/// <param name="Client">Those of this process.</param>
/// <param name="Transactions">Transactions, those that were rolled back too.</param>
public sealed record FloodCosts(double Server, double Database, double Client, long Transactions)
{
    private const double TicksPerSecond = 100;

    /// <summary>The counters as they stand.</summary>
    public static async Task<FloodCosts> ReadAsync(Stage stage)
    {
        await using var connection = new NpgsqlConnection(stage.Owner);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("select xact_commit + xact_rollback from pg_stat_database where datname = current_database()", connection);
        var transactions = (long)(await command.ExecuteScalarAsync())!;
        return new(Seconds($"{stage.ServerProcessId}"), DatabaseSeconds(stage), Seconds("self"), transactions);
    }

    /// <summary>What was used since an earlier reading.</summary>
    public FloodCosts Since(FloodCosts earlier) =>
        new(Server - earlier.Server, Database - earlier.Database, Client - earlier.Client, Transactions - earlier.Transactions);

    /// <summary>The postmaster's children, dead ones too, which it has waited for.</summary>
    public static double DatabaseSeconds(Stage stage)
    {
        if (!Directory.Exists("/proc/self"))
        {
            return 0;
        }
        var postmaster = File.ReadLines(Path.Combine(stage.DataDirectory, "postgresql", "data", "postmaster.pid")).First().Trim();
        return Seconds(postmaster, withDead: true)
            + Directory
                .EnumerateDirectories("/proc")
                .Select(Path.GetFileName)
                .Where(id => char.IsAsciiDigit(id![0]) && Fields(id) is { } fields && fields[1] == postmaster)
                .Sum(id => Seconds(id!));
    }

    /// <summary>Seconds of CPU that a process has used.</summary>
    public static double Seconds(string process, bool withDead = false) =>
        Fields(process) is not { } fields
            ? 0
            : (Number(fields[11]) + Number(fields[12]) + (withDead ? Number(fields[13]) + Number(fields[14]) : 0)) / TicksPerSecond;

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    /// <summary>The fields of a process's stat behind its name, the state first; null when it is gone.</summary>
    private static string[]? Fields(string process)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{process}/stat");
            return text[(text.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (IOException)
        {
            return null;
        }
    }
}
