using Dapper;
using Npgsql;
using Polly;
using Polly.Retry;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Platform.Database;

/// <summary>
/// Calls SQL functions as one of the login roles. The text is always a call of a function; arguments are <c>$1, $2 ...</c>.
/// </summary>
/// <remarks>Only this folder opens connections; an architecture test says so.</remarks>
public abstract class RoleDatabase : IAsyncDisposable
{
    /// <summary>
    /// Calls again what PostgreSQL rolled back so that another transaction could go on (a deadlock, or a function that raised a conflict on purpose), and
    /// what called a function that a migration replaced while it waited for a lock; the new one calls it no more.
    /// </summary>
    private static readonly ResiliencePipeline Conflicts = new ResiliencePipelineBuilder()
        .AddRetry(
            new RetryStrategyOptions
            {
                ShouldHandle = new PredicateBuilder().Handle<PostgresException>(error =>
                    error.SqlState is PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.UndefinedFunction
                ),
                MaxRetryAttempts = 9,
                BackoffType = DelayBackoffType.Linear,
                Delay = TimeSpan.FromMilliseconds(20),
            }
        )
        .Build();

    /// <summary>Waits for a database that is away, as long as a failover or a restart by hand takes, and the process lives.</summary>
    private static readonly ResiliencePipeline Outages = new ResiliencePipelineBuilder()
        .AddTimeout(TimeSpan.FromMinutes(15))
        .AddRetry(
            new RetryStrategyOptions
            {
                ShouldHandle = new PredicateBuilder().Handle<NpgsqlException>(DatabaseErrors.MayPass),
                MaxRetryAttempts = int.MaxValue,
                // Ours, because Polly's has no jitter once it has reached its longest pause.
                DelayGenerator = retry => new(TimeSpan.FromSeconds(Backoff.Seconds(retry.AttemptNumber + 1, 0.2, 5))),
            }
        )
        .Build();

    private protected readonly NpgsqlDataSource Source;

    static RoleDatabase() => DefaultTypeMap.MatchNamesWithUnderscores = true;

    private protected RoleDatabase(string connectionString, int maxPreparedStatements)
    {
        var builder = new NpgsqlDataSourceBuilder(
            new NpgsqlConnectionStringBuilder(connectionString) { MaxAutoPrepare = maxPreparedStatements, AutoPrepareMinUsages = 2 }.ConnectionString
        );
        Source = builder.Build();
    }

    /// <summary>Every row that the function answers.</summary>
    public Task<List<T>> ListAsync<T>(string sql, CancellationToken cancellationToken, params object?[] arguments) =>
        RetryOnConflictAsync(
            async () =>
            {
                await using var command = Source.CreateCommand(sql);
                AddArguments(command.Parameters, arguments);
                await using var reader = await command.ExecuteReaderAsync(cancellationToken);
                return ReadRows<T>(reader);
            },
            cancellationToken
        );

    /// <summary>Like <see cref="ListAsync"/>, for what is asked so often that a reading of its own pays.</summary>
    public Task<List<T>> ReadAsync<T>(string sql, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken, params NpgsqlParameter[] arguments) =>
        RetryOnConflictAsync(
            async () =>
            {
                await using var command = Source.CreateCommand(sql);
                foreach (var argument in arguments)
                {
                    // A parameter belongs to one command; another try is another command.
                    command.Parameters.Add(argument.Clone());
                }
                await using var reader = await command.ExecuteReaderAsync(cancellationToken);
                var rows = new List<T>();
                while (await reader.ReadAsync(cancellationToken))
                {
                    rows.Add(read(reader));
                }
                return rows;
            },
            cancellationToken
        );

    /// <summary>Like <see cref="ListAsync"/>, for what reads everything there is and may take as long as the caller allows.</summary>
    public Task<List<T>> ListWithTimeoutAsync<T>(int maxSeconds, string sql, CancellationToken cancellationToken, params object?[] arguments) =>
        RetryOnConflictAsync(
            async () =>
            {
                await using var command = Source.CreateCommand(sql);
                command.CommandTimeout = maxSeconds;
                AddArguments(command.Parameters, arguments);
                await using var reader = await command.ExecuteReaderAsync(cancellationToken);
                return ReadRows<T>(reader);
            },
            cancellationToken
        );

    /// <summary>
    /// Like <see cref="ScalarAsync"/>, for what may not be forgotten (an answer of the outside world): while the database is away it is tried
    /// again, for up to a quarter of an hour. The function must not mind being called twice with the same arguments.
    /// </summary>
    public Task<T?> RecordAsync<T>(string sql, params object?[] arguments) =>
        Outages.ExecuteAsync(async cancellationToken => await ScalarAsync<T>(sql, cancellationToken, arguments), CancellationToken.None).AsTask();

    /// <summary>The one row that the function answers, or null.</summary>
    public async Task<T?> QuerySingleOrDefaultAsync<T>(string sql, CancellationToken cancellationToken, params object?[] arguments)
        where T : class => (await ListAsync<T>(sql, cancellationToken, arguments)).FirstOrDefault();

    /// <summary>The first column of the first row, or default.</summary>
    public Task<T?> ScalarAsync<T>(string sql, CancellationToken cancellationToken, params object?[] arguments) =>
        RetryOnConflictAsync(
            async () =>
            {
                await using var command = Source.CreateCommand(sql);
                AddArguments(command.Parameters, arguments);
                var value = await command.ExecuteScalarAsync(cancellationToken);
                return value is null or DBNull ? default : (T)value;
            },
            cancellationToken
        );

    /// <summary>Calls a function for its effect.</summary>
    public Task ExecuteAsync(string sql, CancellationToken cancellationToken, params object?[] arguments) =>
        RetryOnConflictAsync(
            async () =>
            {
                await using var command = Source.CreateCommand(sql);
                AddArguments(command.Parameters, arguments);
                return await command.ExecuteNonQueryAsync(cancellationToken);
            },
            cancellationToken
        );

    /// <summary>A call as <see cref="Conflicts"/> repeats it. Safe because each call is one transaction, of which nothing is left then.</summary>
    private protected async Task<T> RetryOnConflictAsync<T>(Func<Task<T>> call, CancellationToken cancellationToken)
    {
        try
        {
            return await Conflicts.ExecuteAsync(static (call, _) => new ValueTask<T>(call()), call, cancellationToken);
        }
        catch (Exception error) when (DatabaseErrors.IsWrongServer(error))
        {
            // Whatever else is in the pool leads to the same server; the next call finds who is at the address now.
            Source.Clear();
            throw;
        }
    }

    /// <summary>Whether the server that is reached takes writes. When it does not (a former primary), its connections are dropped, so that the next call asks anew.</summary>
    public async Task<bool> IsWritableAsync(CancellationToken cancellationToken)
    {
        if (await ScalarAsync<string>("select current_setting('transaction_read_only')", cancellationToken) != "on")
        {
            return true;
        }
        Leave();
        return false;
    }

    /// <summary>Drops every connection, so that the next call finds who is at the address now.</summary>
    public void Leave() => Source.Clear();

    /// <inheritdoc/>
    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await Source.DisposeAsync();
    }

    private protected static void AddArguments(NpgsqlParameterCollection parameters, object?[] arguments)
    {
        foreach (var argument in arguments)
        {
            parameters.Add(new NpgsqlParameter { Value = argument ?? DBNull.Value });
        }
    }

    private protected static List<T> ReadRows<T>(NpgsqlDataReader reader)
    {
        var rows = new List<T>();
        if (!reader.HasRows)
        {
            return rows;
        }
        // Dapper's row parser knows records; a list of plain texts is read directly, and none is null.
        var parse = typeof(T) == typeof(string) ? row => row.IsDBNull(0) ? default! : (T)row.GetValue(0) : reader.GetRowParser<T>();
        while (reader.Read())
        {
            rows.Add(parse(reader));
        }
        return rows;
    }
}

/// <summary>The API's own calls, before anybody is known: opening devices and sessions, storing inbound events.</summary>
public sealed class ApiDatabase(ConnectionStrings strings, int maxPreparedStatements) : RoleDatabase(strings.Api, maxPreparedStatements)
{
    /// <summary>Of the pool's connections one in four, and two at least, are never taken by crowds.</summary>
    private const int PartKeptFree = 4;
    private const int LeastKeptFree = 2;

    /// <summary>Of the crowds' places one in four is the most that callers without a token take together.</summary>
    private const int PartOfStrangers = 4;

    // Handed out in the order of arrival; whoever hangs up gives its place away.
    private readonly SemaphoreSlim _places = new(PlacesOf(strings.Api));
    private readonly SemaphoreSlim _strangers = new(StrangersPlacesOf(strings.Api));

    /// <summary>Whoever was let in by <see cref="WithStrangerPlaceAsync"/> does not queue again behind all who have come since.</summary>
    private readonly SemaphoreSlim _admitted = new(StrangersPlacesOf(strings.Api));

    /// <summary>
    /// A call that a user can ask for as often as they like (a press): some connections stay free of these, so that a flood of them,
    /// refusals too, does not stand before everybody who reads their videos.
    /// </summary>
    /// <param name="call">What is asked of the database.</param>
    /// <param name="cancellationToken">The caller's.</param>
    /// <param name="check">What is asked first by whoever has waited for a place.</param>
    public async Task<T> WithPlaceAsync<T>(Func<Task<T>> call, CancellationToken cancellationToken, RepeatedCheck? check = null)
    {
        await TakePlaceAsync(_places, check, cancellationToken);
        try
        {
            return await call();
        }
        finally
        {
            _places.Release();
        }
    }

    /// <summary>
    /// A call that anybody can ask for without a token (a new device): a narrow part of the crowds' places, so that a flood of strangers does not stand
    /// before those who have a session either.
    /// </summary>
    /// <inheritdoc cref="WithPlaceAsync" path="/param"/>
    public async Task<T> WithStrangerPlaceAsync<T>(Func<Task<T>> call, CancellationToken cancellationToken, RepeatedCheck? check = null)
    {
        await TakePlaceAsync(_strangers, check, cancellationToken);
        try
        {
            return await WithPlaceAsync(call, cancellationToken);
        }
        finally
        {
            _strangers.Release();
        }
    }

    /// <summary>What follows for a stranger who was let in: as narrow, and with a line of its own.</summary>
    /// <inheritdoc cref="WithPlaceAsync" path="/param"/>
    public async Task<T> AdmittedAsync<T>(Func<Task<T>> call, CancellationToken cancellationToken)
    {
        await _admitted.WaitAsync(cancellationToken);
        try
        {
            return await WithPlaceAsync(call, cancellationToken);
        }
        finally
        {
            _admitted.Release();
        }
    }

    /// <summary>Whoever has waited checks once more whether the call is still worth a place, and gives it to the next meanwhile.</summary>
    private static async Task TakePlaceAsync(SemaphoreSlim places, RepeatedCheck? check, CancellationToken cancellationToken)
    {
        await places.WaitAsync(cancellationToken);
        if (check is not null && check.IsWorthIt())
        {
            places.Release();
            await check.CheckAsync();
            await places.WaitAsync(cancellationToken);
        }
    }

    private static int PlacesOf(string connectionString)
    {
        var size = new NpgsqlConnectionStringBuilder(connectionString).MaxPoolSize;
        return Math.Max(1, size - Math.Max(LeastKeptFree, size / PartKeptFree));
    }

    private static int StrangersPlacesOf(string connectionString) => Math.Max(1, PlacesOf(connectionString) / PartOfStrangers);

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _places.Dispose();
        _strangers.Dispose();
        _admitted.Dispose();
    }

    /// <summary>
    /// Calls a function as the caller: one transaction in one round trip that first takes the caller's role and claims, so row
    /// security decides what exists. Role and claims end with the transaction.
    /// </summary>
    public Task<List<T>> ListAsync<T>(Caller caller, string sql, CancellationToken cancellationToken, params object?[] arguments) =>
        RetryOnConflictAsync(() => ListOnceAsync<T>(caller, sql, arguments, cancellationToken), cancellationToken);

    private async Task<List<T>> ListOnceAsync<T>(Caller caller, string sql, object?[] arguments, CancellationToken cancellationToken)
    {
        await using var batch = Source.CreateBatch();
        // A batch without begin and commit is one implicit transaction, which saves two commands.
        batch.BatchCommands.Add(
            new NpgsqlBatchCommand(
                // Each answers its value, which nobody here wants to hear again: the claims are half a kilobyte.
                "select set_config('role', $1, true) is null, set_config('request.jwt.claims', $2, true) is null, set_config('reelbase.trace_parent', $3, true) is null"
            )
            {
                Parameters =
                {
                    new NpgsqlParameter<string> { TypedValue = caller.Role },
                    new NpgsqlParameter<string> { TypedValue = caller.Claims },
                    new NpgsqlParameter<string> { TypedValue = Telemetry.Trace.Parent ?? "" },
                },
            }
        );
        var call = new NpgsqlBatchCommand(sql);
        AddArguments(call.Parameters, arguments);
        batch.BatchCommands.Add(call);
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        await reader.NextResultAsync(cancellationToken);
        var rows = ReadRows<T>(reader);
        await reader.NextResultAsync(cancellationToken);
        return rows;
    }

    /// <summary>The one row that the function answers the caller, or null.</summary>
    public async Task<T?> QuerySingleOrDefaultAsync<T>(Caller caller, string sql, CancellationToken cancellationToken, params object?[] arguments)
        where T : class => (await ListAsync<T>(caller, sql, cancellationToken, arguments)).FirstOrDefault();

    /// <summary>Calls a function as the caller, for its effect.</summary>
    public Task ExecuteAsync(Caller caller, string sql, CancellationToken cancellationToken, params object?[] arguments) =>
        ListAsync<object>(caller, sql, cancellationToken, arguments);
}

/// <summary>What a call that has waited for a place asks before it takes it.</summary>
/// <param name="IsWorthIt">Whether anything has happened meanwhile that makes it worth the asking.</param>
/// <param name="CheckAsync">Asks, without a place; throws when the call is settled by that.</param>
public sealed record RepeatedCheck(Func<bool> IsWorthIt, Func<Task> CheckAsync);

/// <summary>The worker's calls.</summary>
public sealed class WorkerDatabase(ConnectionStrings strings, int maxPreparedStatements) : RoleDatabase(strings.Worker, maxPreparedStatements);

/// <summary>The operator's calls.</summary>
public sealed class AdminDatabase(ConnectionStrings strings)
    : RoleDatabase(
        strings.Admin
            ?? throw new InvalidOperationException("Database:AdminConnectionString is missing, and Database:ConnectionString too: give one of the two"),
        0
    );

/// <summary>Who asks, as SQL sees it: a role to take and the claims that <c>auth.uid()</c> and its like read.</summary>
/// <param name="Role"><c>authenticated</c>, <c>anon</c> or <c>service_role</c>.</param>
/// <param name="UserId">The id in the token; null for nobody.</param>
/// <param name="Claims">The token's claims as JSON.</param>
public sealed record Caller(string Role, Guid? UserId, string Claims)
{
    /// <summary>The session that the claims name; null for claims without one. Read once, since the caller of a verified token is remembered and asks often.</summary>
    public Guid? SessionId { get; } = ReadSession(Claims);

    /// <summary>Somebody who has not said who they are.</summary>
    public static Caller Anonymous { get; } = new("anon", null, """{"role":"anon"}""");

    /// <summary>A server of the app's developer. Only the endpoints that Supabase's clients use know it.</summary>
    public static Caller Service { get; } = new("service_role", null, """{"role":"service_role"}""");

    private static Guid? ReadSession(string claims)
    {
        using var document = System.Text.Json.JsonDocument.Parse(claims);
        return
            document.RootElement.TryGetProperty("session_id", out var id)
            && id.ValueKind == System.Text.Json.JsonValueKind.String
            && id.TryGetGuid(out var session)
            ? session
            : null;
    }
}
