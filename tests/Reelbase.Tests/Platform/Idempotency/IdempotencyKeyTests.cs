using System.Net;
using System.Text;
using Npgsql;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Platform;

/// <summary>A key has the same rules whoever sends it: every kind of operation that takes one goes through the same cases.</summary>
public sealed class IdempotencyKeyTests(AdminSystem system) : IClassFixture<AdminSystem>
{
    private const int AtOnce = 6;

    public static TheoryData<string> Operations => [.. KeyedOperations.Names];

    [Theory]
    [MemberData(nameof(Operations))]
    public async Task A_repeated_key_gets_the_first_answer_and_another_request_under_it_is_refused(string name)
    {
        var operation = await NewAsync(name);
        var key = NewKey();
        var first = await SendAsync(operation, key);
        AssertDone(first);
        Assert.Equal(1, await EffectsAsync(operation));
        AssertReplay(first, await SendAsync(operation, key));
        // However it is written, it is the same key.
        AssertReplay(first, await SendAsync(operation, key.ToUpperInvariant()));
        AssertRefused(HttpStatusCode.UnprocessableEntity, "ERR_4009", await SendAsync(operation with { Body = operation.OtherBody }, key));
        if (operation.BodyBeyondBounds is { } wrong)
        {
            AssertRefused(HttpStatusCode.UnprocessableEntity, "ERR_4009", await SendAsync(operation with { Body = wrong }, key));
        }
        AssertReplay(first, await SendAsync(operation, key));
        Assert.Equal(1, await EffectsAsync(operation));
        Assert.Equal(
            [$"{operation.Path[1..]}|{(int)first.Status}|True"],
            await system.RowsAsync(
                $"select operation_type, status_code, expires_at = created_at + interval '24 hours' from idempotency_log where idempotency_key = '{key}'"
            )
        );
    }

    [Theory]
    [MemberData(nameof(Operations))]
    public async Task The_answer_is_the_first_one_whatever_has_changed_since(string name)
    {
        var operation = await NewAsync(name);
        var key = NewKey();
        var first = await SendAsync(operation, key);
        AssertDone(first);
        if (operation.Afterwards is { } sql)
        {
            await system.ExecuteAsync(sql);
        }
        AssertReplay(first, await SendAsync(operation, key));
        Assert.Equal(1, await EffectsAsync(operation));
    }

    [Theory]
    [MemberData(nameof(Operations))]
    public async Task Of_the_same_request_at_once_one_is_carried_out_and_the_others_get_its_answer(string name)
    {
        var operation = await NewAsync(name);
        var key = NewKey();
        var answers = await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(_ => SendAsync(operation, key)));
        var first = Assert.Single(answers, answer => !IsReplay(answer));
        AssertDone(first);
        Assert.All(answers.Where(answer => answer != first), answer => AssertReplay(first, answer));
        Assert.Equal(1, await EffectsAsync(operation));
    }

    [Theory]
    [MemberData(nameof(Operations))]
    public async Task Of_two_requests_at_once_under_one_key_one_is_carried_out_and_the_other_refused(string name)
    {
        var operation = await NewAsync(name);
        var key = NewKey();
        var answers = await Task.WhenAll(SendAsync(operation, key), SendAsync(operation with { Body = operation.OtherBody }, key));
        AssertDone(Assert.Single(answers, answer => answer.Code is null));
        AssertRefused(HttpStatusCode.UnprocessableEntity, "ERR_4009", Assert.Single(answers, answer => answer.Code is not null));
    }

    [Theory]
    [MemberData(nameof(Operations))]
    public async Task An_expired_key_is_a_new_one(string name)
    {
        var operation = await NewAsync(name);
        var key = NewKey();
        var first = await SendAsync(operation, key);
        AssertDone(first);
        await system.ExecuteAsync($"update idempotency_log set expires_at = now() - interval '1 second' where idempotency_key = '{key}'");
        // The other request shows it: under a key that counts it would be refused for its key.
        var second = await SendAsync(operation with { Body = operation.OtherBody }, key);
        Assert.False(IsReplay(second));
        Assert.True(second.Code is null or "ERR_4012", second.Text);
        if (second.Code is null)
        {
            AssertReplay(second, await SendAsync(operation with { Body = operation.OtherBody }, key));
        }
    }

    [Theory]
    [MemberData(nameof(Operations))]
    public async Task A_key_that_is_none_is_refused_and_does_nothing(string name)
    {
        var operation = await NewAsync(name);
        var key = NewKey();
        foreach (
            var keys in new string[][] { ["no uuid"], [""], [key.Replace("-", "", StringComparison.Ordinal)], [$"{{{key}}}"], [key, NewKey()], [key, key] }
        )
        {
            var refused = await SendAsync(operation, keys);
            AssertRefused(HttpStatusCode.BadRequest, "ERR_4008", refused);
            Assert.Equal("not_a_uuid", refused.ReadReason());
        }
        Assert.Equal(0, await EffectsAsync(operation));
        var without = await SendAsync(operation);
        if (operation.NeedsKey)
        {
            AssertRefused(HttpStatusCode.BadRequest, "ERR_4008", without);
            Assert.Equal("missing", without.ReadReason());
            Assert.Equal(0, await EffectsAsync(operation));
        }
        else
        {
            AssertDone(without);
            Assert.Equal(1, await EffectsAsync(operation));
        }
    }

    [Theory]
    [MemberData(nameof(Operations))]
    public async Task The_same_key_of_somebody_else_is_another_key(string name)
    {
        using var colleague = await system.TokenAsync($"same-key-{Guid.NewGuid():N}@support.example");
        var (mine, theirs) = (await NewAsync(name), await KeyedOperations.NewAsync(system, name, colleague));
        var key = NewKey();
        foreach (var operation in new[] { mine, theirs })
        {
            AssertDone(await SendAsync(operation, key));
            Assert.Equal(1, await EffectsAsync(operation));
        }
    }

    [Theory]
    [MemberData(nameof(Operations))]
    public async Task What_died_before_its_commit_was_not_done_and_its_key_is_free(string name)
    {
        var operation = await NewAsync(name);
        var key = NewKey();
        Task<ApiResponse> died;
        await using (var connection = new NpgsqlConnection(system.Owner))
        {
            await connection.OpenAsync();
            await using var transaction = await connection.BeginTransactionAsync();
            await RunAsync(connection, "lock table idempotency_log in exclusive mode");
            // It has done everything by the time that it keeps its answer.
            died = SendAsync(operation, key);
            await Eventually.IsAsync(
                () =>
                    system.QueryAsync<long>(
                        "select count(pg_terminate_backend(pid)) from pg_locks where relation = 'idempotency_log'::regclass and not granted and database = (select oid from pg_database where datname = current_database())"
                    ),
                ended => ended > 0
            );
            Assert.NotNull((await died).Code);
        }
        Assert.Equal(0, await EffectsAsync(operation));
        // The server may think for a moment that its database is away.
        AssertDone(await Eventually.IsAsync(() => SendAsync(operation, key), answer => answer.Status != HttpStatusCode.ServiceUnavailable));
        Assert.Equal(1, await EffectsAsync(operation));
    }

    /// <summary>Sends it under these keys, as written.</summary>
    internal static async Task<ApiResponse> SendAsync(KeyedOperation operation, params string[] keys)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, operation.Path)
        {
            Content = new StringContent(operation.Body, Encoding.UTF8, "application/json"),
        };
        if (keys.Length > 0)
        {
            request.Headers.TryAddWithoutValidation("Idempotency-Key", keys);
        }
        return await ApiResponse.ReadAsync(await operation.Http.SendAsync(request));
    }

    private Task<KeyedOperation> NewAsync(string name) => KeyedOperations.NewAsync(system, name, system.Admin);

    private static string NewKey() => Guid.NewGuid().ToString();

    private async Task<long> EffectsAsync(KeyedOperation operation) => await system.QueryAsync<long>($"select count(*) from {operation.Effects}");

    private static bool IsReplay(ApiResponse answer) => answer.Raw.Headers.Contains("X-Idempotent-Replay");

    private static void AssertDone(ApiResponse answer)
    {
        Assert.True(answer.Status is HttpStatusCode.OK or HttpStatusCode.Accepted, answer.Text);
        Assert.False(IsReplay(answer), answer.Text);
    }

    private static void AssertReplay(ApiResponse first, ApiResponse again)
    {
        Assert.Equal((first.Status, first.Text), (again.Status, again.Text));
        Assert.True(IsReplay(again), "X-Idempotent-Replay is missing");
        Assert.Equal(["true"], again.Raw.Headers.GetValues("X-Idempotent-Replay"));
    }

    private static void AssertRefused(HttpStatusCode status, string code, ApiResponse answer)
    {
        Assert.True((status, code) == (answer.Status, answer.Code), answer.Text);
        Assert.False(IsReplay(answer));
    }

    private static async Task RunAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
