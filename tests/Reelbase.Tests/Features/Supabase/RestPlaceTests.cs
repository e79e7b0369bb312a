using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Reelbase.Server.Platform.Security;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>Each caller has a few requests to tables at a time, so that nobody takes all connections.</summary>
public sealed class RestPlaceTests(RestPlaceTests.Narrow system) : IClassFixture<RestPlaceTests.Narrow>
{
    private const int AtOnce = 2;
    private const int Waiting = 1;
    private const int Lock = 51_970;

    /// <summary>Two at a time for each caller, and one more who waits.</summary>
    public sealed class Narrow : TestSystem
    {
        protected override Dictionary<string, string?> Settings =>
            new()
            {
                ["Supabase:RequestsAtOncePerCaller"] = $"{AtOnce}",
                ["Supabase:WaitingRequestsPerCaller"] = $"{Waiting}",
                ["Supabase:CatalogCheckSeconds"] = "0",
                // What a query waits for, the test ends.
                ["Supabase:StatementTimeoutSeconds"] = "60",
                ["Server:TrustedProxies:0"] = "127.0.0.1",
            };

        public override async ValueTask InitializeAsync()
        {
            await base.InitializeAsync();
            await ExecuteAsync(
                $"""
                create function held_row() returns boolean language plpgsql as $$ begin perform pg_advisory_xact_lock_shared({Lock}); return true; end $$;
                grant execute on function held_row() to anon, authenticated;
                create table held_rows (id int); insert into held_rows values (1); alter table held_rows enable row level security;
                create policy held_rows_read on held_rows to anon, authenticated using (held_row()); grant select on held_rows to anon, authenticated;
                """
            );
        }
    }

    [Fact]
    public Task A_user_has_two_at_a_time_one_who_waits_and_everybody_else_is_served()
    {
        return HoldAsync(system.NewGuestAsync, async phone => await SendAsync("held_rows", (await phone).AccessToken));
    }

    [Fact]
    public Task Without_a_user_an_address_has_them_and_an_ipv6_subscriber_is_one()
    {
        var number = 0;
        return HoldAsync(
            () => Task.FromResult("2001:db8:77:1"),
            async network => await SendAsync("held_rows", null, $"{await network}::{Interlocked.Increment(ref number):x}")
        );
    }

    /// <summary>More requests at once than one caller may have, while the database keeps those that reach it: the rest is refused at once, and nobody else waits.</summary>
    private async Task HoldAsync<T>(Func<Task<T>> who, Func<Task<T>, Task<ApiResponse>> ask)
    {
        var caller = Task.FromResult(await who());
        var other = await system.NewGuestAsync();
        await using var holder = new NpgsqlConnection(system.Owner);
        await holder.OpenAsync();
        await RunAsync(holder, $"select pg_advisory_lock({Lock})");
        var asked = Enumerable.Range(0, AtOnce + Waiting + 3).Select(_ => Task.Run(() => ask(caller))).ToList();
        var refused = new List<Task<ApiResponse>>();
        while (refused.Count < 3)
        {
            refused.Add(await Task.WhenAny(asked.Except(refused)).WaitAsync(Patience.Span));
            var answer = await refused[^1];
            Assert.Equal(((HttpStatusCode)429, "PGRSTX01"), (answer.Status, answer["code"].GetString()));
        }
        // The others are in the database or wait for their place: as many as there are places ask it.
        await Eventually.IsAsync(
            () => system.QueryAsync<long>($"select count(*) from pg_locks where locktype = 'advisory' and objid = {Lock} and not granted"),
            count => count == AtOnce
        );
        // Somebody else, signed in or at another address, has places of their own.
        Assert.Equal(HttpStatusCode.OK, (await SendAsync("users?select=id", other.AccessToken)).Status);
        Assert.Equal(HttpStatusCode.OK, (await SendAsync("models?select=id", null, "2001:db8:77:2::1")).Status);
        Assert.All(asked.Except(refused), one => Assert.False(one.IsCompleted));
        await RunAsync(holder, $"select pg_advisory_unlock({Lock})");
        foreach (var answer in await Task.WhenAll(asked.Except(refused)).WaitAsync(Patience.Span))
        {
            Assert.Equal(HttpStatusCode.OK, answer.Status);
        }
        // Places come back.
        Assert.Equal(HttpStatusCode.OK, (await ask(caller)).Status);
    }

    private static async Task RunAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private async Task<ApiResponse> SendAsync(string path, string? bearer, string? address = null)
    {
        using var client = system.Anybody();
        client.Timeout = Patience.Span;
        using var request = new HttpRequestMessage(HttpMethod.Get, "/rest/v1/" + path);
        var key = system.Server.Services.GetRequiredService<AccessTokens>().CreateAnonKey();
        request.Headers.Add("apikey", key);
        request.Headers.Add("Authorization", "Bearer " + (bearer ?? key));
        if (address is not null)
        {
            request.Headers.Add("X-Forwarded-For", address);
        }
        return await ApiResponse.ReadAsync(await client.SendAsync(request));
    }
}
