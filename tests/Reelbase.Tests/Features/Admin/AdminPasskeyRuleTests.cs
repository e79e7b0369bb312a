using System.Net;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using OtpNet;
using Reelbase.Server.Cli;
using Reelbase.Server.Features.Admin;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Security;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>What the page about admins says of passkeys, sentence by sentence: when one is added, who learns of it, and what ends it.</summary>
public sealed class AdminPasskeyRuleTests(AdminPasskeyTests.Installation system) : IClassFixture<AdminPasskeyTests.Installation>
{
    private const string Host = "console.example";
    private const string Origin = "https://console.example";
    private const string Chosen = "sieben Krähen im Nebel";
    private static int _admins;
    private static int _addresses;

    [Fact]
    public async Task An_open_console_that_somebody_finds_adds_no_passkey_and_a_new_sign_in_does()
    {
        var (admin, console) = await SignedInAsync();
        using var passkey = new SoftwarePasskey(Host, Origin);
        await SignedInAgoAsync(admin.Id, "8 minutes");
        Assert.Equal(HttpStatusCode.OK, (await console.PostAsync("/admin/passkey/new", new JsonObject())).Status);
        await SignedInAgoAsync(admin.Id, "10 minutes 1 second");
        AssertSignInAgain(await console.PostAsync("/admin/passkey/new", new JsonObject()));
        // The console itself goes on: only this needs the password again.
        Assert.True(await console.IsInAsync());
        Assert.Equal("/admin", await console.SignInAsync(admin.Email, admin.Password, await CodeAsync(admin)));
        Assert.Equal(HttpStatusCode.OK, (await console.AddAsync(passkey)).Status);
    }

    [Fact]
    public async Task A_ceremony_that_was_begun_in_time_ends_in_time_too()
    {
        var (admin, console) = await SignedInAsync();
        using var passkey = new SoftwarePasskey(Host, Origin);
        var options = (await console.PostAsync("/admin/passkey/new", new JsonObject())).Json;
        await SignedInAgoAsync(admin.Id, "10 minutes 1 second");
        AssertSignInAgain(await console.AddAsync(passkey.Make(options), "late"));
        Assert.Empty(await PasskeysAsync(admin.Id));
        Assert.Equal("ERR_4005", (await Visitor().SignInAsync(passkey)).Code);
    }

    [Fact]
    public async Task A_sign_in_with_a_passkey_is_one_with_which_another_is_added()
    {
        var (admin, console) = await SignedInAsync();
        using var first = new SoftwarePasskey(Host, Origin);
        using var second = new SoftwarePasskey(Host, Origin);
        await console.AddAsync(first, "first");
        await SignedInAgoAsync(admin.Id, "1 hour");
        var visitor = Visitor();
        Assert.Equal(HttpStatusCode.OK, (await visitor.SignInAsync(first)).Status);
        Assert.Equal(HttpStatusCode.OK, (await visitor.AddAsync(second, "second")).Status);
        Assert.Equal(["first", "second"], await PasskeysAsync(admin.Id));
    }

    [Fact]
    public async Task Each_passkey_that_is_added_is_alerted_and_one_that_is_refused_is_not()
    {
        var (admin, console) = await SignedInAsync();
        using var passkey = new SoftwarePasskey(Host, Origin);
        using var another = new SoftwarePasskey(Host, Origin);
        using var wrong = new SoftwarePasskey(Host, "https://attacker.example");
        Assert.Equal(HttpStatusCode.OK, (await console.AddAsync(passkey)).Status);
        Assert.Equal(HttpStatusCode.OK, (await console.AddAsync(another)).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await console.AddAsync(wrong)).Status);
        var alerts = await system.RowsAsync($"select message from alerts where kind = 'admin_passkey_added' and message like '%{admin.Id}%'");
        Assert.Equal(2, alerts.Count);
        // An alert goes outside: it names nobody.
        Assert.All(alerts, alert => Assert.DoesNotContain(admin.Email, alert, StringComparison.Ordinal));
        Assert.Equal(
            2,
            await system.QueryAsync<long>($"select count(*) from admin_actions where action_type = 'passkey_add' and target_user_id = '{admin.Id}'")
        );
    }

    [Fact]
    public async Task A_new_password_removes_all_passkeys_and_those_of_nobody_else()
    {
        var (admin, console) = await SignedInAsync();
        var (other, otherConsole) = await SignedInAsync();
        using var first = new SoftwarePasskey(Host, Origin);
        using var second = new SoftwarePasskey(Host, Origin);
        using var foreign = new SoftwarePasskey(Host, Origin);
        await console.AddAsync(first);
        await console.AddAsync(second);
        await otherConsole.AddAsync(foreign);
        var proof = new AdminProof(admin.Email, admin.Password, await CodeAsync(admin), IPAddress.Loopback);
        Assert.Null(await system.Server.Services.GetRequiredService<AdminSignIn>().ChooseAsync(proof, Chosen, null, CancellationToken.None));
        Assert.Empty(await PasskeysAsync(admin.Id));
        Assert.False(await console.IsInAsync());
        Assert.Equal("ERR_4005", (await Visitor().SignInAsync(first)).Code);
        Assert.Equal("ERR_4005", (await Visitor().SignInAsync(second)).Code);
        Assert.Single(await PasskeysAsync(other.Id));
        Assert.Equal(HttpStatusCode.OK, (await Visitor().SignInAsync(foreign)).Status);
    }

    [Fact]
    public async Task A_banned_admins_passkey_opens_nothing_and_comes_back_with_the_unban()
    {
        var (admin, console) = await SignedInAsync();
        using var passkey = new SoftwarePasskey(Host, Origin);
        await console.AddAsync(passkey);
        Assert.Equal(HttpStatusCode.OK, (await system.PostAsync("/admin-ban-user", new { user_id = admin.Id, reason = "a lost laptop" })).Status);
        Assert.False(await console.IsInAsync());
        Assert.Equal("ERR_4005", (await Visitor().SignInAsync(passkey)).Code);
        Assert.Equal(HttpStatusCode.OK, (await system.PostAsync("/admin-unban-user", new { user_id = admin.Id, reason = "found again" })).Status);
        Assert.Equal(HttpStatusCode.OK, (await Visitor().SignInAsync(passkey)).Status);
    }

    [Fact]
    public async Task A_challenge_is_kept_as_a_hash_for_five_minutes_and_the_last_one_that_was_asked_for_counts()
    {
        var (admin, console) = await SignedInAsync();
        var options = (await console.PostAsync("/admin/passkey/new", new JsonObject())).Json;
        var challenge = System.Buffers.Text.Base64Url.DecodeFromChars(SoftwarePasskey.Challenge(options));
        Assert.True(challenge.Length >= 16);
        Assert.Equal(
            ["t|300"],
            await system.RowsAsync(
                $"""
                select case when hash = '\x{Convert.ToHexString(
                    SHA256.HashData(challenge)
                )}' then 't' end, round(extract(epoch from expires_at - clock_timestamp()) / 300) * 300
                from admin_passkey_challenges where user_id = '{admin.Id}'
                """
            )
        );
        Assert.Equal(
            0L,
            await system.QueryAsync<long>(
                $"select count(*) from admin_passkey_challenges c where position(lower('{Convert.ToHexString(challenge)}') in lower(c::text)) > 0"
            )
        );
        var newer = (await console.PostAsync("/admin/passkey/new", new JsonObject())).Json;
        using var passkey = new SoftwarePasskey(Host, Origin);
        Assert.Equal(HttpStatusCode.BadRequest, (await console.AddAsync(passkey.Make(options), "older")).Status);
        Assert.Equal(HttpStatusCode.OK, (await console.AddAsync(passkey.Make(newer), "newer")).Status);
        // The browser is asked to verify its user, at both endpoints.
        Assert.Equal("required", newer.GetProperty("authenticatorSelection").GetProperty("userVerification").GetString());
        Assert.Equal("required", (await Visitor().ChallengeAsync()).GetProperty("userVerification").GetString());
        Assert.Equal(Host, newer.GetProperty("rp").GetProperty("id").GetString());
    }

    [Fact]
    public async Task An_operator_lists_and_removes_anybodys_support_its_own_and_it_is_written_down()
    {
        var (admin, console) = await SignedInAsync("support");
        using var passkey = new SoftwarePasskey(Host, Origin);
        using var second = new SoftwarePasskey(Host, Origin);
        var id = (await console.AddAsync(passkey, "mine"))["passkey_id"].GetGuid();
        var other = (await console.AddAsync(second, "mine too"))["passkey_id"].GetGuid();
        var listed = await system.GetAsync($"/admin-list-passkeys?user_id={admin.Id}");
        Assert.Equal(["mine", "mine too"], listed["rows"].EnumerateArray().Select(row => row.GetProperty("name").GetString()).Order());
        Assert.DoesNotContain("public_key", listed.Text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await system.PostAsync("/admin-remove-passkey", new { passkey_id = id, reason = "it was lost" })).Status);
        await using var database = new AdminDatabase(system.Strings);
        var token = await AdminUserCommands.StartTokenAsync(database, system.Server.Services.GetRequiredService<AccessTokens>(), admin.Email);
        using var own = system.Anybody();
        own.DefaultRequestHeaders.Authorization = new("Bearer", token.Trim());
        Assert.Equal(HttpStatusCode.OK, (await AdminSystem.PostAsync(own, "/admin-remove-passkey", new { passkey_id = other, reason = "a new one" })).Status);
        Assert.Empty(await PasskeysAsync(admin.Id));
        Assert.Equal(
            [$"{system.AdminId}|it was lost", $"{admin.Id}|a new one"],
            await system.RowsAsync(
                $"select admin_user_id, reason from admin_actions where action_type = 'passkey_remove' and target_user_id = '{admin.Id}' order by id"
            )
        );
    }

    private static void AssertSignInAgain(ApiResponse answer) =>
        Assert.Equal((HttpStatusCode.Forbidden, "ERR_4006", "sign_in_again"), (answer.Status, answer.Code, AdminApprovalTests.ReasonOf(answer)));

    private Task SignedInAgoAsync(Guid admin, string ago) =>
        system.ExecuteAsync($"update sessions set created_at = clock_timestamp() - interval '{ago}' where user_id = '{admin}' and method = 'admin'");

    private Task<List<string>> PasskeysAsync(Guid admin) => system.RowsAsync($"select name from admin_passkeys where user_id = '{admin}' order by created_at");

    private ConsoleVisitor Visitor()
    {
        var number = Interlocked.Increment(ref _addresses);
        return new(system.Url, $"127.0.{200 + (number / 250)}.{1 + (number % 250)}");
    }

    private sealed record Person(Guid Id, string Email, string Password, string Secret);

    private async Task<string> CodeAsync(Person person)
    {
        await system.ExecuteAsync($"update admin_credentials set totp_step = 0 where user_id = '{person.Id}'");
        return new Totp(Base32Encoding.ToBytes(person.Secret)).ComputeTotp();
    }

    private async Task<(Person Person, ConsoleVisitor Console)> SignedInAsync(string? role = null)
    {
        var email = $"rules-{Interlocked.Increment(ref _admins)}@support.example";
        await using var database = new AdminDatabase(system.Strings);
        var made = await system.Server.Services.GetRequiredService<AdminCredentials>().CreateAsync(database, email, role);
        var person = new Person(await system.IdAsync(email), email, made.Password, made.TotpSecret);
        var console = Visitor();
        Assert.Equal("/admin", await console.SignInAsync(email, person.Password, await CodeAsync(person)));
        return (person, console);
    }
}
