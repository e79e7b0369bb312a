using Npgsql;
using Reelbase.Server.Platform.Database;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Platform;

/// <summary>What of a failed call of the database is tried again, and how often.</summary>
[Quick]
public sealed class RepeatedCallTests : IAsyncLifetime
{
    private WorkerDatabase _database = null!;
    private string _owner = "";

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        _owner = await TestCluster.CloneAsync();
        // A sequence keeps counting when the call that asked it is rolled back.
        await TestCluster.ExecuteAsync(
            _owner,
            """
            create sequence test_tries;
            create function test_fail(p_state text, p_times bigint) returns bigint language plpgsql security definer set search_path = public as $$
            declare
              v_try bigint := nextval('test_tries');
            begin
              if v_try <= p_times then
                raise exception 'as a test asks' using errcode = p_state;
              end if;
              return v_try;
            end $$;
            grant execute on function test_fail to reelbase_worker;
            """
        );
        _database = new WorkerDatabase(
            ConnectionStrings.From(
                new DatabaseOptions
                {
                    MaxPoolSize = 2,
                    ConnectTimeoutSeconds = TestCluster.PatienceSeconds,
                    CommandTimeoutSeconds = TestCluster.PatienceSeconds,
                },
                _owner
            ),
            0
        );
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _database.DisposeAsync();

    [Theory]
    [InlineData(PostgresErrorCodes.DeadlockDetected)]
    [InlineData(PostgresErrorCodes.SerializationFailure)]
    [InlineData(PostgresErrorCodes.UndefinedFunction)]
    public async Task A_call_that_was_rolled_back_for_another_is_repeated(string state) =>
        Assert.Equal(4, await _database.ScalarAsync<long>("select test_fail($1, $2)", TestContext.Current.CancellationToken, state, 3L));

    [Fact]
    public async Task A_conflict_that_does_not_end_is_reported_after_ten_tries()
    {
        var error = await Assert.ThrowsAsync<PostgresException>(() =>
            _database.ExecuteAsync("select test_fail($1, $2)", TestContext.Current.CancellationToken, PostgresErrorCodes.DeadlockDetected, 1000L)
        );
        Assert.Equal((PostgresErrorCodes.DeadlockDetected, 10), (error.SqlState, await TriesAsync()));
    }

    [Theory]
    [InlineData("RB001")]
    [InlineData(PostgresErrorCodes.TooManyConnections)]
    [InlineData(PostgresErrorCodes.CheckViolation)]
    public async Task Whatever_else_fails_is_reported_at_once(string state)
    {
        var error = await Assert.ThrowsAsync<PostgresException>(() =>
            _database.ExecuteAsync("select test_fail($1, $2)", TestContext.Current.CancellationToken, state, 1000L)
        );
        Assert.Equal((state, 1), (error.SqlState, await TriesAsync()));
    }

    [Theory]
    [InlineData(PostgresErrorCodes.TooManyConnections)]
    [InlineData(PostgresErrorCodes.QueryCanceled)]
    [InlineData("57P03")]
    public async Task A_record_is_tried_until_the_database_takes_it(string state) =>
        Assert.Equal(4, await _database.RecordAsync<long>("select test_fail($1, $2)", state, 3L));

    [Fact]
    public async Task A_record_that_is_refused_is_not_tried_again()
    {
        var error = await Assert.ThrowsAsync<PostgresException>(() => _database.RecordAsync<long>("select test_fail($1, $2)", "RB001", 1000L));
        Assert.Equal(("RB001", 1), (error.SqlState, await TriesAsync()));
    }

    private async Task<long> TriesAsync()
    {
        await using var connection = new NpgsqlConnection(_owner);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("select last_value from test_tries", connection);
        return (long)(await command.ExecuteScalarAsync())!;
    }
}
