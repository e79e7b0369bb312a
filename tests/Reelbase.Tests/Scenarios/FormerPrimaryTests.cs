using System.Net;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Reelbase.Server.Platform.Database;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Scenarios;

/// <summary>The server at the database's address takes no writes any more, and later does again; nobody restarts anything.</summary>
public sealed class FormerPrimaryTests(TestSystem system) : IClassFixture<TestSystem>
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_read_only_database_is_503_and_not_ready_and_all_is_well_once_a_primary_is_back(bool connectionsBreak)
    {
        // After the other case some pooled sessions are still those of the former primary, until each has been used once and dropped.
        await Eventually.IsAsync(
            async () => (await Phone.CheckAsync(system.Url, Guid.NewGuid().ToString(), Phone.TokenOf($"{Guid.NewGuid()}"))).Status,
            status => status == HttpStatusCode.OK
        );
        var phone = await system.NewGuestAsync(80);
        using var http = system.Anybody();
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync("/health/ready")).StatusCode);

        await SetReadOnlyAsync(isOn: true, true);
        for (var count = 0; count < 10; count++)
        {
            var answer = await phone.GenerateAsync("While it is read-only");
            Assert.Equal((HttpStatusCode.ServiceUnavailable, "ERR_6001"), (answer.Status, answer.Code));
        }
        // What was said before is good for a second.
        await Eventually.IsAsync(async () => (await http.GetAsync("/health/ready")).StatusCode, status => status == HttpStatusCode.ServiceUnavailable);
        using var ready = await http.GetAsync("/health/ready");
        Assert.Equal("read_only", (await ready.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("database").GetString());

        // A primary is back. Sessions that began on the former one stay read-only for as long as they are kept.
        await SetReadOnlyAsync(isOn: false, connectionsBreak);
        await Eventually.IsAsync(async () => (await http.GetAsync("/health/ready")).StatusCode, status => status == HttpStatusCode.OK);
        await Eventually.IsAsync(async () => (await phone.GenerateAsync("Once it is back")).Status, status => status == HttpStatusCode.OK);
        var last = await phone.GenerateAndWatchAsync("And worked on");
        Assert.Equal("completed", last.GetProperty("status").GetString());
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task A_record_that_may_not_be_forgotten_waits_until_a_primary_is_back()
    {
        var database = system.Server.Services.GetRequiredService<WorkerDatabase>();
        await SetReadOnlyAsync(isOn: true, true);
        var recording = database.RecordAsync<bool>("select raise_alert('test_record', 'once', 'An answer of the outside world')");
        // It has been refused by then, which is seen by another call's being refused after it.
        await Assert.ThrowsAnyAsync<Npgsql.NpgsqlException>(() =>
            database.ScalarAsync<bool>("select raise_alert('test_record', 'other', 'Of no weight')", CancellationToken.None)
        );
        Assert.False(recording.IsFaulted);
        await SetReadOnlyAsync(isOn: false, true);
        Assert.True(await recording.WaitAsync(Patience.Span));
    }

    private async Task SetReadOnlyAsync(bool isOn, bool connectionsBreak)
    {
        foreach (var role in new[] { "reelbase_api", "reelbase_worker" })
        {
            var how = isOn ? "set default_transaction_read_only = on" : "reset default_transaction_read_only";
            await system.ExecuteAsync($"do $$ begin execute format('alter role {role} in database %I {how}', current_database()); end $$");
        }
        if (connectionsBreak)
        {
            await system.ExecuteAsync(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and usename in ('reelbase_api', 'reelbase_worker')"
            );
        }
    }
}
