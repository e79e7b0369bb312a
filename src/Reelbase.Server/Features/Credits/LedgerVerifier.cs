using System.Text.Json;
using Reelbase.Server.Platform.Database;

namespace Reelbase.Server.Features.Credits;

/// <summary>What a check of every ledger found.</summary>
public sealed record LedgerReport(long Users, long Mismatches, long Unusual);

/// <summary>How far a check has come.</summary>
public sealed record LedgerProgress(Guid? After, long Users, long Mismatches, long Unusual)
{
    /// <summary>What a run kept of it, or the beginning.</summary>
    public static LedgerProgress From(JsonElement progress) =>
        progress.ValueKind == JsonValueKind.Object && progress.TryGetProperty("ledger", out var ledger)
            ? ledger.Deserialize<LedgerProgress>()!
            : new(null, 0, 0, 0);
}

/// <summary>A user whose ledger does not add up, and why.</summary>
public sealed record LedgerProblem(Guid UserId, string Problem);

/// <summary>Checks every user's ledger by <c>verify_ledger</c>, a portion of users at a time.</summary>
public static class LedgerVerifier
{
    /// <summary>Users of one statement for the command line.</summary>
    private const int PortionUsers = 2000;

    /// <summary>The check that alerts: at night, and when an admin asks for it.</summary>
    /// <param name="at">Where an earlier check broke off, or the beginning.</param>
    /// <param name="save">Keeps the progress after every portion.</param>
    public static async Task<LedgerReport> RunAsync(
        WorkerDatabase database,
        int portionUsers,
        int unusualCredits,
        LedgerProgress at,
        Func<LedgerProgress, Task> save,
        CancellationToken cancellationToken
    )
    {
        while (true)
        {
            var portion = (
                await database.ListAsync<Portion>(
                    "select * from alert_ledger_problems($1::uuid, $2, $3)",
                    cancellationToken,
                    at.After,
                    portionUsers,
                    unusualCredits
                )
            )[0];
            at = new(portion.LastUserId, at.Users + portion.Users, at.Mismatches + portion.Mismatches, at.Unusual + portion.Unusual);
            if (at.After is null)
            {
                return new(at.Users, at.Mismatches, at.Unusual);
            }
            await save(at);
        }
    }

    /// <summary>The check of the command line: every problem, as it is found.</summary>
    public static async IAsyncEnumerable<LedgerProblem> FindAsync(AdminDatabase database)
    {
        Guid? after = null;
        do
        {
            var portion = (await database.ListAsync<Portion>("select * from verify_ledger($1::uuid, $2)", CancellationToken.None, after, PortionUsers))[0];
            using var problems = JsonDocument.Parse(portion.Problems);
            foreach (var problem in problems.RootElement.EnumerateArray())
            {
                yield return new(problem.GetProperty("user_id").GetGuid(), problem.GetProperty("problem").GetString()!);
            }
            after = portion.LastUserId;
        } while (after is not null);
    }

    private sealed class Portion
    {
        public Guid? LastUserId { get; init; }
        public int Users { get; init; }
        public int Mismatches { get; init; }
        public int Unusual { get; init; }
        public string Problems { get; init; } = "[]";
    }
}
