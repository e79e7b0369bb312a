using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Npgsql;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>A device id is a secret: at rest, in what goes out, and as a name for somebody.</summary>
public sealed class DeviceIdTests(AdminSystem system) : IClassFixture<AdminSystem>
{
    [Fact]
    public async Task A_device_id_is_nowhere_in_the_database_and_in_no_dump()
    {
        var id = Guid.NewGuid().ToString().ToUpperInvariant();
        var digits = "450000" + Random.Shared.NextInt64(100_000_000, 999_999_999);
        var phone = await Phone.OnboardAsync(system.Url, id);
        await Phone.OnboardAsync(system.Url, id, id + "-again");
        await Phone.OnboardAsync(system.Url, digits, $"{Guid.NewGuid()}");
        await Phone.CheckAsync(system.Url, id, "AAAA");
        await Phone.CheckAsync(system.Url, id, "no base64!");
        await phone.GetAsync($"/get-user-profile?user_id={id}");
        await system.ExecuteAsync($"update users set banned_at = now() where id = '{phone.UserId}'");
        await Phone.CheckAsync(system.Url, id, Phone.TokenOf($"{Guid.NewGuid()}"));
        await Eventually.IsAsync(() => system.QueryAsync<long>("select count(*) from device_grants where decided_at is null"), open => open == 0);
        await Eventually.IsAsync(() => system.QueryAsync<long>("select count(*) from error_log where error_code = 'ERR_4006'"), rows => rows > 0);
        var dump = await DumpAsync();
        Assert.Contains(phone.UserId.ToString(), dump, StringComparison.Ordinal);
        foreach (var secret in new[] { id, digits })
        {
            foreach (
                var form in new[]
                {
                    secret,
                    Convert.ToHexString(Encoding.UTF8.GetBytes(secret)),
                    Convert.ToHexString(Encoding.UTF8.GetBytes(secret.ToLowerInvariant())),
                }
            )
            {
                Assert.DoesNotContain(form, dump, StringComparison.OrdinalIgnoreCase);
            }
        }
        // What is there is the hash, the same in capitals.
        Assert.Equal(
            1,
            await system.QueryAsync<long>(
                $"select count(*) from users where device_id = 'sha256:{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(id.ToLowerInvariant())))}'"
            )
        );
    }

    [Fact]
    public async Task Whoever_writes_a_device_id_stores_its_hash()
    {
        var id = Guid.NewGuid().ToString().ToUpperInvariant();
        var user = await system.QueryAsync<Guid>($"insert into users (device_id) values ('{id}') returning id");
        await system.ExecuteAsync($"insert into device_checks (device_id, user_id) values ('{id}', '{user}')");
        await system.ExecuteAsync($"update users set device_id = '{id}' where id = '{user}'");
        Assert.Equal(
            [$"{user}"],
            await system.RowsAsync($"select user_id from device_checks where device_id = internal.device_id_hash('{id.ToLowerInvariant()}')")
        );
        Assert.True(await system.QueryAsync<bool>($"select device_id = internal.device_id_hash('{id}') from users where id = '{user}'"));
    }

    [Fact]
    public async Task Answers_export_and_console_show_no_device_id()
    {
        var phone = await system.NewGuestAsync();
        var profile = await phone.GetAsync("/get-user-profile");
        Assert.Equal(JsonValueKind.Null, profile["device_id"].ValueKind);
        var export = await phone.PostAsync("/export-user-data", new { });
        var user = await system.GetAsync($"/admin-get-user?user_id={phone.UserId}");
        var found = await system.GetAsync($"/admin-search-users?q={phone.DeviceId.ToUpperInvariant()}");
        Assert.Equal($"{phone.UserId}", found["rows"][0].GetProperty("id").GetString());
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(phone.DeviceId)));
        foreach (var answer in new[] { phone.Onboarding, profile, export, user, found })
        {
            Assert.Equal(HttpStatusCode.OK, answer.Status);
            Assert.DoesNotContain(phone.DeviceId, answer.Text, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain(hash, answer.Text, StringComparison.OrdinalIgnoreCase);
        }
        // The hash itself is nobody's name.
        Assert.Empty((await system.GetAsync($"/admin-search-users?q=sha256:{hash}"))["rows"].EnumerateArray());
        Assert.Equal("ERR_4007", (await phone.GetAsync($"/get-user-profile?user_id=sha256:{hash}")).Code);
    }

    [Fact]
    public async Task A_device_id_is_no_user_id_except_under_the_switch_for_shipped_builds()
    {
        var phone = await system.NewGuestAsync();
        var digits = "460000" + Random.Shared.NextInt64(100_000_000, 999_999_999);
        await Phone.OnboardAsync(system.Url, digits, $"{Guid.NewGuid()}");
        foreach (var id in new[] { phone.DeviceId, phone.DeviceId.ToUpperInvariant(), digits })
        {
            foreach (var path in new[] { "/get-user-credits", "/get-user-profile", "/get-video-jobs" })
            {
                Assert.Equal((HttpStatusCode.NotFound, "ERR_4007"), await CodeAsync(phone.GetAsync($"{path}?user_id={id}")));
            }
            Assert.Equal(
                (HttpStatusCode.NotFound, "ERR_4007"),
                await CodeAsync(phone.PostAsync("/update-user-settings", new { user_id = id, language = "tr" }))
            );
        }
        Assert.Equal(HttpStatusCode.OK, (await phone.GetAsync($"/get-user-credits?user_id={phone.UserId}")).Status);

        await using var lenient = system.BuildServer(new() { ["Server:AcceptUnverifiedUserId"] = "true" });
        await lenient.StartAsync();
        using var app = new HttpClient { BaseAddress = new Uri(TestSystem.AddressOf(lenient)) };
        foreach (var id in new[] { phone.DeviceId, phone.DeviceId.ToUpperInvariant() })
        {
            Assert.Equal(HttpStatusCode.OK, (await app.GetAsync($"/get-user-credits?user_id={id}")).StatusCode);
        }
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(phone.DeviceId)));
        Assert.Equal(HttpStatusCode.NotFound, (await app.GetAsync($"/get-user-credits?user_id=sha256:{hash}")).StatusCode);
        await lenient.StopAsync();
    }

    [Fact]
    public async Task Rows_that_an_earlier_release_wrote_are_read_and_get_their_hash_when_their_phone_comes()
    {
        var phone = await system.NewGuestAsync();
        await AsEarlierAsync(phone);
        Assert.Equal("ERR_4010", (await Phone.CheckAsync(system.Url, phone.DeviceId, "AAAA")).Code);
        Assert.Equal($"{phone.UserId}", (await system.GetAsync($"/admin-search-users?q={phone.DeviceId}"))["rows"][0].GetProperty("id").GetString());
        var user = await system.GetAsync($"/admin-get-user?user_id={phone.UserId}");
        Assert.DoesNotContain(phone.DeviceId, user.Text, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(phone.UserId, await system.QueryAsync<Guid>($"select find_user_id('{phone.DeviceId}')"));
        var again = await Phone.OnboardAsync(system.Url, phone.DeviceId.ToUpperInvariant(), phone.DeviceId + "-later");
        Assert.Equal((phone.UserId, 10), (again.UserId, await again.CreditsAsync()));
        Assert.Equal(["1|1"], await HashedAsync(phone));
    }

    [Fact]
    public async Task Rows_of_an_earlier_release_whose_phone_does_not_come_get_their_hash_at_night()
    {
        var (phone, other) = (await system.NewGuestAsync(), await system.NewGuestAsync());
        await AsEarlierAsync(phone);
        await AsEarlierAsync(other);
        Assert.InRange(await system.QueryAsync<long>("select clean_up('device_ids', '{}', 100, true)"), 6, long.MaxValue);
        Assert.InRange(await system.QueryAsync<long>("select clean_up('device_ids', '{}', 1, false)"), 1, 3);
        while (await system.QueryAsync<long>("select clean_up('device_ids', '{}', 100, false)") > 0) { }
        Assert.Equal(0, await system.QueryAsync<long>("select clean_up('device_ids', '{}', 100, true)"));
        Assert.Equal(["1|1"], await HashedAsync(phone));
        Assert.Equal(["1|1"], await HashedAsync(other));
    }

    [Fact]
    public async Task A_node_of_the_previous_release_and_ours_open_the_same_guest()
    {
        var (theirs, ours) = (Guid.NewGuid().ToString(), await system.NewGuestAsync());
        var user = await PreviousAsync(theirs);
        Assert.Equal(user, (await Phone.OnboardAsync(system.Url, theirs, theirs)).UserId);
        Assert.Equal(ours.UserId, await PreviousAsync(ours.DeviceId));
        Assert.Equal(0, await system.QueryAsync<long>($"select count(*) from users u where u::text ilike '%{theirs}%'"));
    }

    [Fact]
    public async Task A_shipped_builds_id_is_brought_to_its_stored_form_as_a_device_checks_is()
    {
        var (phone, id) = (await system.NewGuestAsync(), Random.Shared.NextInt64(1_000_000, long.MaxValue));
        await system.ExecuteAsync(
            $"""
            set session_replication_role = replica;
            insert into device_checks (device_id, user_id) values ('{id}', '{phone.UserId}');
            reset session_replication_role;
            """
        );
        Assert.True(await system.QueryAsync<bool>($"select is_new from claim_unverified_user('{id}', '192.0.2.77', 100, 100)"));
        Assert.Equal(1, await system.QueryAsync<long>($"select count(*) from device_checks where device_id = internal.device_id_hash('{id}')"));
    }

    /// <summary>As a node of the previous release asks.</summary>
    private async Task<Guid> PreviousAsync(string id) =>
        await system.QueryAsync<Guid>(
            $$"""select user_id from open_device('{{id}}', true, '{{Phone.TokenOf(id)}}', '127.0.0.1', null, 3600, '{"throttle_score":101,"block_score":101,"throttle_seconds":60}')"""
        );

    private Task<List<string>> HashedAsync(Phone phone) =>
        system.RowsAsync(
            $"""
            select (select count(*) from users where id = '{phone.UserId}' and device_id = internal.device_id_hash('{phone.DeviceId}')),
              (select count(*) from device_checks where user_id = '{phone.UserId}' and device_id = internal.device_id_hash('{phone.DeviceId}'))
            """
        );

    /// <summary>The rows of a phone as an earlier release, which had no triggers, has left them.</summary>
    private Task AsEarlierAsync(Phone phone) =>
        system.ExecuteAsync(
            $"""
            set session_replication_role = replica;
            update users set device_id = '{phone.DeviceId}' where id = '{phone.UserId}';
            update device_checks set device_id = '{phone.DeviceId}' where user_id = '{phone.UserId}';
            update device_grants set device_id = '{phone.DeviceId}' where user_id = '{phone.UserId}';
            reset session_replication_role;
            """
        );

    private static async Task<(HttpStatusCode, string?)> CodeAsync(Task<ApiResponse> asked)
    {
        var answer = await asked;
        return (answer.Status, answer.Code);
    }

    private async Task<string> DumpAsync()
    {
        var owner = new NpgsqlConnectionStringBuilder(system.Owner);
        var start = new ProcessStartInfo("pg_dump")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            ArgumentList = { "--host", owner.Host!, "--port", $"{owner.Port}", "--username", owner.Username!, "--dbname", owner.Database!, "--inserts" },
            Environment = { ["PGPASSWORD"] = owner.Password },
        };
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var dump = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, await errors);
        return dump;
    }
}
