using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using OtpNet;
using Reelbase.Server.Features.Admin;
using Reelbase.Server.Platform.Database;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>Passkeys of admins: who gets in with one, and everything that does not count as one.</summary>
public sealed class AdminPasskeyTests(AdminPasskeyTests.Installation system) : IClassFixture<AdminPasskeyTests.Installation>
{
    private const string Host = "console.example";
    private const string Origin = "https://console.example";
    private static int _admins;
    private static int _addresses = 1;

    /// <summary>The installation whose console has a name.</summary>
    public sealed class Installation : AdminSystem
    {
        protected override Dictionary<string, string?> Settings => new(base.Settings) { ["Admin:PublicUrl"] = Origin + "/" };
    }

    [Fact]
    public async Task An_admin_adds_a_passkey_and_signs_in_with_it_instead_of_password_and_code()
    {
        var (email, console) = await SignedInAsync();
        var me = await system.IdAsync(email);
        using var passkey = new SoftwarePasskey(Host, Origin) { Counter = 7 };
        var added = await console.AddAsync(passkey, "the blue one");
        Assert.True(added.Status == HttpStatusCode.OK, added.Text);
        var stranger = Visitor();
        Assert.False(await stranger.IsInAsync());
        passkey.Counter = 8;
        var answer = await stranger.SignInAsync(passkey);
        Assert.True(answer.Status == HttpStatusCode.OK, answer.Text);
        Assert.Equal("/admin", answer["location"].GetString());
        Assert.True(await stranger.IsInAsync());
        Assert.Equal(
            ["the blue one|8|True"],
            await system.RowsAsync($"select name, sign_count, last_used_at is not null from admin_passkeys where user_id = '{me}'")
        );
        Assert.Equal(
            [$"passkey_add|{me}|{added["passkey_id"].GetString()}"],
            await system.RowsAsync(
                $"select action_type, admin_user_id, target_id from admin_actions where target_user_id = '{me}' and action_type like 'passkey%'"
            )
        );
        // A successful one takes no place of the address.
        Assert.Empty(await system.RowsAsync("select id from rate_limit_log where action = 'admin_sign_in' and ip_address = '127.0.0.1'"));
    }

    [Fact]
    public async Task Keys_that_do_not_count_are_fine()
    {
        var (_, console) = await SignedInAsync();
        using var passkey = new SoftwarePasskey(Host, Origin);
        Assert.Equal(HttpStatusCode.OK, (await console.AddAsync(passkey)).Status);
        for (var time = 0; time < 3; time++)
        {
            Assert.Equal(HttpStatusCode.OK, (await Visitor().SignInAsync(passkey)).Status);
        }
    }

    [Theory]
    [InlineData("another origin")]
    [InlineData("the origin at another port")]
    [InlineData("the origin without TLS")]
    [InlineData("a host below ours")]
    [InlineData("the name of another host")]
    [InlineData("no verification of the user")]
    [InlineData("nobody present")]
    [InlineData("a frame of another origin")]
    [InlineData("a lower counter")]
    [InlineData("the same counter")]
    [InlineData("the type of a registration")]
    [InlineData("no handle")]
    [InlineData("another admin's handle")]
    [InlineData("another admin's key under this id")]
    [InlineData("a signature that was changed")]
    [InlineData("authenticator data that were changed")]
    [InlineData("nothing but the id")]
    [InlineData("a challenge of one's own")]
    [InlineData("a challenge that was used")]
    [InlineData("a challenge that was used by a failure")]
    [InlineData("a challenge that has expired")]
    [InlineData("the challenge of a registration")]
    public async Task What_is_signed_in_another_way_opens_nothing(string how)
    {
        var (email, console) = await SignedInAsync();
        var (_, other) = await SignedInAsync();
        using var passkey = new SoftwarePasskey(Host, Origin) { Counter = 5 };
        using var foreign = new SoftwarePasskey(Host, Origin) { Counter = 5 };
        Assert.Equal(HttpStatusCode.OK, (await console.AddAsync(passkey)).Status);
        Assert.Equal(HttpStatusCode.OK, (await other.AddAsync(foreign)).Status);
        passkey.Counter = foreign.Counter = 6;
        var handle = passkey.UserHandle;
        var visitor = Visitor();
        var options = await visitor.ChallengeAsync();
        var challenge = SoftwarePasskey.Challenge(options);
        JsonObject credential;
        switch (how)
        {
            case "another origin":
                passkey.Origin = "https://console.example.attacker.net";
                break;
            case "the origin at another port":
                passkey.Origin = Origin + ":8443";
                break;
            case "the origin without TLS":
                passkey.Origin = "http://console.example";
                break;
            case "a host below ours":
                passkey.Origin = "https://evil.console.example";
                break;
            case "the name of another host":
                passkey.RpId = "console.example.attacker.net";
                break;
            case "no verification of the user":
                passkey.Flags = SoftwarePasskey.Present;
                break;
            case "nobody present":
                passkey.Flags = SoftwarePasskey.Verified;
                break;
            case "a frame of another origin":
                passkey.IsCrossOrigin = true;
                break;
            case "a lower counter":
                passkey.Counter = 4;
                break;
            case "the same counter":
                passkey.Counter = 5;
                break;
            case "the type of a registration":
                passkey.Type = "webauthn.create";
                break;
            case "no handle":
                passkey.UserHandle = null;
                break;
            case "another admin's handle":
                passkey.UserHandle = foreign.UserHandle;
                break;
            case "a challenge that was used":
                Assert.Equal(HttpStatusCode.OK, (await Visitor().SignInAsync(passkey.Sign(challenge))).Status);
                passkey.Counter = 7;
                break;
            case "a challenge that was used by a failure":
                foreign.Flags = SoftwarePasskey.Present;
                Assert.Equal("ERR_4005", (await Visitor().SignInAsync(foreign.Sign(challenge))).Code);
                break;
            case "a challenge that has expired":
                await system.ExecuteAsync("update admin_passkey_challenges set expires_at = now() - interval '1 second'");
                break;
            case "a challenge of one's own":
                challenge = System.Buffers.Text.Base64Url.EncodeToString(new byte[32]);
                break;
            case "the challenge of a registration":
                challenge = SoftwarePasskey.Challenge((await console.PostAsync("/admin/passkey/new", new JsonObject())).Json);
                break;
        }
        credential = passkey.Sign(challenge);
        var response = credential["response"]!.AsObject();
        switch (how)
        {
            case "another admin's key under this id":
                foreign.UserHandle = handle;
                credential = foreign.Sign(challenge);
                credential["id"] = System.Buffers.Text.Base64Url.EncodeToString(passkey.Id);
                credential["rawId"] = System.Buffers.Text.Base64Url.EncodeToString(passkey.Id);
                break;
            case "a signature that was changed":
                response["signature"] = Changed(response["signature"]!);
                break;
            case "authenticator data that were changed":
                response["authenticatorData"] = Changed(response["authenticatorData"]!);
                break;
            case "nothing but the id":
                response["signature"] = "";
                response["authenticatorData"] = "";
                break;
        }
        var answer = await visitor.SignInAsync(credential);
        Assert.Equal((how, HttpStatusCode.Unauthorized, "ERR_4005"), (how, answer.Status, answer.Code));
        Assert.False(await visitor.IsInAsync());
        // The key itself is as good as before.
        (passkey.RpId, passkey.Origin, passkey.Flags, passkey.Counter) = (Host, Origin, SoftwarePasskey.Present | SoftwarePasskey.Verified, 9);
        (passkey.UserHandle, passkey.Type, passkey.IsCrossOrigin) = (handle, null, false);
        Assert.Equal(HttpStatusCode.OK, (await visitor.SignInAsync(passkey)).Status);
        var alerts = await system.RowsAsync(
            $"select count(*) from alerts where kind = 'admin_passkey_copied' and message like '%{await system.IdAsync(email)}%'"
        );
        Assert.Equal([how.EndsWith(" counter", StringComparison.Ordinal) ? "1" : "0"], alerts);
    }

    [Theory]
    [InlineData("{}", "missing")]
    [InlineData("""{"credential":null}""", "missing")]
    [InlineData("""{"credential":7}""", "not_a_credential")]
    [InlineData("""{"credential":{"id":"!","rawId":"!"}}""", "not_a_credential")]
    [InlineData("""{"credential":{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":"AAAA"}}}""", "not_a_credential")]
    [InlineData("""{"credential":{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":"e30"}}}""", "not_a_credential")]
    public async Task What_is_no_credential_is_said_to_be_none(string body, string reason)
    {
        var answer = await Visitor().PostAsync("/admin/passkey/session", JsonNode.Parse(body)!);
        Assert.Equal((HttpStatusCode.BadRequest, reason), (answer.Status, AdminApprovalTests.ReasonOf(answer)));
    }

    [Theory]
    [InlineData("another origin")]
    [InlineData("the name of another host")]
    [InlineData("no verification of the user")]
    [InlineData("the type of a sign-in")]
    [InlineData("a challenge that was used")]
    [InlineData("another admin's challenge")]
    [InlineData("the challenge of a sign-in")]
    public async Task A_key_that_was_made_in_another_way_is_not_added(string how)
    {
        var (email, console) = await SignedInAsync();
        using var passkey = new SoftwarePasskey(Host, Origin);
        var options = (await console.PostAsync("/admin/passkey/new", new JsonObject())).Json;
        switch (how)
        {
            case "another origin":
                passkey.Origin = "https://attacker.net";
                break;
            case "the name of another host":
                passkey.RpId = "attacker.net";
                break;
            case "no verification of the user":
                passkey.Flags = SoftwarePasskey.Present;
                break;
            case "the type of a sign-in":
                passkey.Type = "webauthn.get";
                break;
            case "a challenge that was used":
                Assert.Equal(
                    "ERR_4000",
                    (await console.AddAsync(new JsonObject { ["response"] = passkey.Make(options)["response"]!.DeepClone() }, "no id")).Code
                );
                break;
            case "another admin's challenge":
                var (_, other) = await SignedInAsync();
                options = (await other.PostAsync("/admin/passkey/new", new JsonObject())).Json;
                break;
            case "the challenge of a sign-in":
                var signIn = SoftwarePasskey.Challenge(await console.ChallengeAsync());
                var changed = JsonNode.Parse(options.GetRawText())!;
                changed["challenge"] = signIn;
                options = System.Text.Json.JsonSerializer.SerializeToElement(changed);
                break;
        }
        var answer = await console.AddAsync(passkey.Make(options), "a key");
        Assert.Equal((how, HttpStatusCode.BadRequest), (how, answer.Status));
        Assert.Empty(await system.RowsAsync($"select id from admin_passkeys where user_id = '{await system.IdAsync(email)}'"));
    }

    [Fact]
    public async Task A_key_is_one_admins_and_an_admin_has_so_many()
    {
        var (_, console) = await SignedInAsync();
        var (_, other) = await SignedInAsync();
        using var passkey = new SoftwarePasskey(Host, Origin);
        Assert.Equal(HttpStatusCode.OK, (await console.AddAsync(passkey)).Status);
        var stolen = await other.AddAsync(passkey);
        Assert.Equal(("ERR_4012", "passkey_is_known"), (stolen.Code, AdminApprovalTests.ReasonOf(stolen)));
        Assert.Equal("ERR_4000", (await console.AddAsync(new SoftwarePasskey(Host, Origin), " ")).Code);
        Assert.Equal("ERR_4000", (await console.AddAsync(new SoftwarePasskey(Host, Origin), new string('x', 101))).Code);
        for (var number = 1; number < 20; number++)
        {
            using var further = new SoftwarePasskey(Host, Origin);
            Assert.Equal(HttpStatusCode.OK, (await console.AddAsync(further)).Status);
        }
        var many = await console.AddAsync(new SoftwarePasskey(Host, Origin));
        Assert.Equal(("ERR_4012", "too_many_passkeys"), (many.Code, AdminApprovalTests.ReasonOf(many)));
    }

    [Fact]
    public async Task A_key_that_was_removed_opens_nothing_nor_one_of_somebody_whose_right_or_password_was_taken()
    {
        var (email, console) = await SignedInAsync();
        using var first = new SoftwarePasskey(Host, Origin);
        using var second = new SoftwarePasskey(Host, Origin);
        var id = (await console.AddAsync(first))["passkey_id"].GetGuid();
        await console.AddAsync(second);
        // Support takes away its own, an operator anybody's.
        using var support = await system.TokenAsync("keys@support.example", "support");
        Assert.Equal("ERR_4007", (await AdminSystem.PostAsync(support, "/admin-remove-passkey", new { passkey_id = id, reason = "not mine" })).Code);
        Assert.Equal(HttpStatusCode.Forbidden, (await support.GetAsync($"/admin-list-passkeys?user_id={await system.IdAsync(email)}")).StatusCode);
        Assert.Equal(2, (await system.GetAsync($"/admin-list-passkeys?user_id={await system.IdAsync(email)}"))["rows"].GetArrayLength());
        Assert.Equal(HttpStatusCode.OK, (await system.PostAsync("/admin-remove-passkey", new { passkey_id = id, reason = "it was lost" })).Status);
        Assert.Equal("ERR_4005", (await Visitor().SignInAsync(first)).Code);
        Assert.Equal(HttpStatusCode.OK, (await Visitor().SignInAsync(second)).Status);
        Assert.Equal(
            ["passkey_add", "passkey_add", "passkey_remove"],
            await system.RowsAsync(
                $"select action_type from admin_actions where target_user_id = '{await system.IdAsync(email)}' and action_type like 'passkey%' order by id"
            )
        );
        // A new password ends the keys too: somebody else may have made them.
        await system.NewAdminAsync(email);
        Assert.Equal("ERR_4005", (await Visitor().SignInAsync(second)).Code);
        var (departing, departingConsole) = await SignedInAsync();
        using var third = new SoftwarePasskey(Host, Origin);
        await departingConsole.AddAsync(third);
        Assert.Equal(0, (await system.RunAsync("revoke", "--email", departing)).Code);
        Assert.Equal("ERR_4005", (await Visitor().SignInAsync(third)).Code);
        Assert.Equal(["0"], await system.RowsAsync($"select count(*) from admin_passkeys where user_id = '{await system.IdAsync(departing)}'"));
    }

    [Fact]
    public async Task Attempts_with_passkeys_count_like_those_with_passwords()
    {
        var (email, console) = await SignedInAsync();
        using var passkey = new SoftwarePasskey(Host, Origin) { Flags = SoftwarePasskey.Present };
        using var good = new SoftwarePasskey(Host, Origin);
        passkey.Flags = SoftwarePasskey.Present | SoftwarePasskey.Verified;
        await console.AddAsync(passkey);
        await console.AddAsync(good);
        passkey.Flags = SoftwarePasskey.Present;
        var address = NextAddress();
        using var guesser = new ConsoleVisitor(system.Url, address);
        for (var attempt = 0; attempt < 5; attempt++)
        {
            Assert.Equal("ERR_4005", (await guesser.SignInAsync(passkey)).Code);
        }
        // Locked here, for passkeys and passwords alike; nowhere else.
        Assert.Equal("ERR_4005", (await guesser.SignInAsync(good)).Code);
        Assert.Equal(["5"], await system.RowsAsync($"select failures from admin_sign_in_failures where network = '{address}'"));
        Assert.Equal(HttpStatusCode.OK, (await Visitor().SignInAsync(good)).Status);
        // And the address has so many attempts and challenges in all.
        using var flood = new ConsoleVisitor(system.Url, NextAddress());
        var challenge = SoftwarePasskey.Challenge(await flood.ChallengeAsync());
        for (var attempt = 0; attempt < 20; attempt++)
        {
            Assert.Equal(HttpStatusCode.Unauthorized, (await flood.SignInAsync(passkey.Sign(challenge))).Status);
        }
        Assert.Equal("ERR_4004", (await flood.SignInAsync(passkey.Sign(challenge))).Code);
        // Those of passwords are others: one way in does not block the other.
        Assert.EndsWith("wrong=yes", await flood.SignInAsync(email, "a password", "123456"), StringComparison.Ordinal);
        for (var number = 1; number < 20; number++)
        {
            Assert.Equal(HttpStatusCode.OK, (await flood.PostAsync("/admin/passkey/challenge", new JsonObject())).Status);
        }
        Assert.Equal("ERR_4004", (await flood.PostAsync("/admin/passkey/challenge", new JsonObject())).Code);
    }

    [Fact]
    public async Task Only_pages_of_the_console_and_who_has_signed_in_get_to_these_endpoints()
    {
        var (_, console) = await SignedInAsync();
        foreach (var path in (string[])["/admin/passkey/challenge", "/admin/passkey/session", "/admin/passkey/new", "/admin/passkey/add"])
        {
            Assert.Equal((path, HttpStatusCode.Forbidden), (path, (await console.PostAsync(path, new JsonObject(), hasToken: false)).Status));
        }
        foreach (var path in (string[])["/admin/passkey/new", "/admin/passkey/add"])
        {
            Assert.Equal((path, HttpStatusCode.Unauthorized), (path, (await Visitor().PostAsync(path, new JsonObject())).Status));
        }
        using var bearer = await system.TokenAsync("bearer@support.example");
        Assert.Equal(HttpStatusCode.Forbidden, (await bearer.PostAsync("/admin/passkey/new", JsonContent.Create(new { }))).StatusCode);
    }

    private ConsoleVisitor Visitor() => new(system.Url, NextAddress());

    /// <summary>An address of this machine that nobody has attempts from yet.</summary>
    private static string NextAddress()
    {
        var number = Interlocked.Increment(ref _addresses);
        return $"127.0.{100 + (number / 250)}.{1 + (number % 250)}";
    }

    private async Task<(string Email, ConsoleVisitor Console)> SignedInAsync()
    {
        var email = $"passkey-{Interlocked.Increment(ref _admins)}@support.example";
        await using var database = new AdminDatabase(system.Strings);
        var admin = await system.Server.Services.GetRequiredService<AdminCredentials>().CreateAsync(database, email, null);
        var console = Visitor();
        Assert.Equal("/admin", await console.SignInAsync(email, admin.Password, new Totp(Base32Encoding.ToBytes(admin.TotpSecret)).ComputeTotp()));
        return (email, console);
    }

    private static string Changed(JsonNode text)
    {
        var bytes = System.Buffers.Text.Base64Url.DecodeFromChars((string)text!);
        bytes[^1] ^= 1;
        return System.Buffers.Text.Base64Url.EncodeToString(bytes);
    }
}
