using Npgsql;
using NpgsqlTypes;
using Reelbase.Tests.Support;

[assembly: AssemblyFixture(typeof(Reelbase.Tests.Sql.SqlDatabase))]

namespace Reelbase.Tests.Sql;

/// <summary>The one database of the tables of cases, with no server beside it. Nearly every case is rolled back, so cases share it at the same time.</summary>
public sealed class SqlDatabase : IAsyncDisposable
{
    private readonly Lazy<Task<NpgsqlDataSource>> _source = new(async () =>
        new NpgsqlDataSourceBuilder(
            new NpgsqlConnectionStringBuilder(await TestCluster.CloneAsync()) { NoResetOnClose = true, MaxPoolSize = 24 }.ConnectionString
        ).Build()
    );

    /// <summary>A case of its own: everything in it is undone at its end.</summary>
    public async Task<SqlCase> BeginAsync()
    {
        var connection = await (await _source.Value).OpenConnectionAsync();
        return new SqlCase(connection, await connection.BeginTransactionAsync());
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_source.IsValueCreated)
        {
            await (await _source.Value).DisposeAsync();
        }
    }
}

/// <summary>One transaction. It begins as the database's owner, becomes one of the unprivileged roles, and is rolled back unless a test commits it.</summary>
public sealed class SqlCase(NpgsqlConnection connection, NpgsqlTransaction transaction) : IAsyncDisposable
{
    /// <summary>One of the server's login roles from here on.</summary>
    public Task BecomeAsync(string role) => RunAsync($"set local role {role}");

    /// <summary>A signed-in user, as the server makes one of a request: the role and the claims, for this transaction only.</summary>
    public async Task BecomeAsync(Guid userId)
    {
        await RunAsync("reset role");
        var session = Guid.NewGuid();
        await RunAsync("insert into sessions (id, user_id) values ($1, $2)", session, userId);
        await RunAsync(
            "select set_config('request.jwt.claims', jsonb_build_object('sub', $1, 'session_id', $2, 'role', 'authenticated')::text, true)",
            userId,
            session
        );
        await RunAsync("set local role authenticated");
    }

    /// <summary>The database's owner again, to read what roles may not.</summary>
    public Task BecomeOwnerAsync() => RunAsync("reset role");

    /// <summary>A user with a balance that the ledger explains.</summary>
    public async Task<Guid> NewUserAsync(int credits = 0, string tier = "free", bool isGuest = true)
    {
        var id = Guid.NewGuid();
        await RunAsync(
            "insert into users (id, is_guest, tier, email) values ($1, $2, $3, $4)",
            id,
            isGuest,
            tier,
            isGuest ? DBNull.Value : $"{id:N}@example.com"
        );
        if (credits != 0)
        {
            await RunAsync("select write_ledger($1, $2, 'initial_grant')", id, credits);
        }
        return id;
    }

    /// <summary>A generation by a user with the seeded fast model, through the one function that accepts them; the case is the owner's again after it.</summary>
    public async Task<Guid> PressAsync(Guid userId, string prompt = "A thing")
    {
        await BecomeAsync(userId);
        var job = await ValueAsync<Guid>(
            "select job_id from generate_video(gen_random_uuid(), jsonb_build_object('model_id', $1, 'prompt', $2::text), '203.0.113.7', '{}', 1800)",
            Guid.Parse(Catalog.FastModel),
            prompt
        );
        await BecomeOwnerAsync();
        return job;
    }

    /// <summary>One value.</summary>
    public async Task<T> ValueAsync<T>(string sql, params object[] values)
    {
        await using var command = Command(sql, values);
        return (T)(await command.ExecuteScalarAsync() is var value and not DBNull ? value! : default(T)!);
    }

    /// <summary>Rows as text, columns parted by bars.</summary>
    public async Task<List<string>> RowsAsync(string sql, params object[] values)
    {
        await using var command = Command(sql, values);
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<string>();
        while (await reader.ReadAsync())
        {
            rows.Add(
                string.Join(
                    '|',
                    Enumerable
                        .Range(0, reader.FieldCount)
                        .Select(column =>
                            reader.IsDBNull(column) ? "" : Convert.ToString(reader.GetValue(column), System.Globalization.CultureInfo.InvariantCulture)
                        )
                )
            );
        }
        return rows;
    }

    /// <summary>A statement.</summary>
    public async Task RunAsync(string sql, params object[] values)
    {
        await using var command = Command(sql, values);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>The code that a statement is refused with: one of the catalogue, or PostgreSQL's own. The case goes on as if it had not been said.</summary>
    public async Task<string> RefusalAsync(string sql, params object[] values)
    {
        await transaction.SaveAsync("before");
        try
        {
            await ValueAsync<object>(sql, values);
        }
        catch (PostgresException error)
        {
            await transaction.RollbackAsync("before");
            return error.SqlState == "RB001" ? error.MessageText : error.SqlState;
        }
        return "none";
    }

    /// <summary>What a commit would check, now: every balance is explained by its ledger.</summary>
    public async Task AssertSoundAsync()
    {
        await BecomeOwnerAsync();
        await RunAsync("set constraints all immediate");
        Assert.Empty(await RowsAsync("select * from check_ledger()"));
    }

    /// <summary>Keeps what was done, for others to see.</summary>
    public Task CommitAsync() => transaction.CommitAsync();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await transaction.DisposeAsync();
        await connection.DisposeAsync();
    }

    private NpgsqlCommand Command(string sql, object[] values)
    {
        var command = new NpgsqlCommand(sql, connection, transaction);
        foreach (var value in values)
        {
            // Text of unknown type: the function's own parameter decides what it is.
            command.Parameters.Add(
                value is string text ? new NpgsqlParameter { Value = text, NpgsqlDbType = NpgsqlDbType.Unknown } : new NpgsqlParameter { Value = value }
            );
        }
        return command;
    }
}
