using System.Text.Json;
using Npgsql;
using Reelbase.Server.Platform.Database;

namespace Reelbase.Server.Platform.Work;

/// <summary>
/// One run of something that one node of the installation does at its time, in portions: each portion prolongs the lease and keeps the
/// progress, so that whoever follows a dead node goes on from there. However it ends, the lease is given back at once.
/// </summary>
public sealed class ScheduledRun : IAsyncDisposable
{
    /// <summary>Longer than one portion takes, and no longer: so soon is a dead node followed.</summary>
    private const int LeaseSeconds = 300;

    private readonly RoleDatabase _database;
    private readonly string _name;
    private readonly string _claimToken;
    private string? _error = "the process ended";
    private bool _isOver;

    private ScheduledRun(RoleDatabase database, string name, string claimToken, JsonElement progress, JsonElement request) =>
        (_database, _name, _claimToken, Progress, Request) = (database, name, claimToken, progress, request);

    /// <summary>How far a run came that broke off; undefined when this one begins anew.</summary>
    public JsonElement Progress { get; }

    /// <summary>What was asked for; undefined when nobody asked.</summary>
    public JsonElement Request { get; }

    /// <summary>Leases the run when it is due (not finished since <paramref name="since"/>) or was asked for; null when there is nothing to do.</summary>
    public static Task<ScheduledRun?> ClaimAsync(RoleDatabase database, string name, DateTime since, CancellationToken cancellationToken) =>
        ClaimAsync(
            database,
            name,
            token => database.ScalarAsync<bool>("select claim_schedule($1, $2, $3, $4)", cancellationToken, name, token, LeaseSeconds, since)
        );

    /// <summary>Leases a check of the ledgers that an admin asked for.</summary>
    public static Task<ScheduledRun?> ClaimLedgerCheckAsync(RoleDatabase database, CancellationToken cancellationToken) =>
        ClaimAsync(database, "ledger_check", token => database.ScalarAsync<bool>("select claim_ledger_check($1, $2)", cancellationToken, token, LeaseSeconds));

    private static async Task<ScheduledRun?> ClaimAsync(RoleDatabase database, string name, Func<string, Task<bool>> claim)
    {
        var claimToken = Work.ClaimToken.New();
        if (!await claim(claimToken))
        {
            return null;
        }
        var row = await database.QuerySingleOrDefaultAsync<Row>("select * from get_schedule_run($1, $2)", CancellationToken.None, name, claimToken);
        return new(database, name, claimToken, Parse(row?.Progress), Parse(row?.Request));
    }

    /// <summary>Notes that a portion is done.</summary>
    /// <exception cref="LeaseLostException">Somebody else has taken the run over.</exception>
    public async Task SaveAsync(object progress, CancellationToken cancellationToken)
    {
        if (
            !await _database.ScalarAsync<bool>(
                "select renew_schedule($1, $2, $3, $4::jsonb)",
                cancellationToken,
                _name,
                _claimToken,
                LeaseSeconds,
                JsonSerializer.Serialize(progress)
            )
        )
        {
            _isOver = true;
            throw new LeaseLostException(_name);
        }
    }

    /// <summary>Ends the run.</summary>
    public async Task FinishAsync(object report)
    {
        await _database.ExecuteAsync("select finish_schedule($1, $2, $3::jsonb)", CancellationToken.None, _name, _claimToken, JsonSerializer.Serialize(report));
        _isOver = true;
    }

    /// <summary>Says why the run breaks off; the console shows it.</summary>
    public void BreakOff(string reason) => _error = reason;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_isOver)
        {
            return;
        }
        try
        {
            await _database.ExecuteAsync("select release_schedule($1, $2, $3)", CancellationToken.None, _name, _claimToken, _error);
        }
        catch (NpgsqlException)
        {
            // The database is away: the lease runs out by itself.
        }
    }

    private static JsonElement Parse(string? json)
    {
        if (json is null)
        {
            return default;
        }
        using var document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }

    private sealed class Row
    {
        public string? Progress { get; init; }
        public string? Request { get; init; }
    }
}

/// <summary>A run went on for longer than its lease, and another node has taken it over.</summary>
public sealed class LeaseLostException(string name) : Exception($"the lease of {name} was lost");
