using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>Sign in with Apple: linking, merging, tokens that are none, and what Apple says afterwards.</summary>
[Collection(SharedProduct.Name)]
public sealed class SignInTests(TestSystem system)
{
    private static string Subject() => "001234." + Guid.NewGuid().ToString("N");

    [Fact]
    public async Task A_guest_becomes_a_member_and_keeps_everything()
    {
        var phone = await system.NewGuestAsync();
        var video = await phone.GenerateAndWatchAsync("Kept through sign-in");
        var subject = Subject();
        var (token, _) = await system.PretendApple.SignInAsync(subject, "ada@example.com");
        var answer = await phone.PostAsync("/merge-guest-user", new { id_token = token });
        Assert.True(answer.Status == HttpStatusCode.OK, answer.Text);
        var user = answer["user"];
        Assert.Equal(
            (phone.UserId, subject, "ada@example.com", false, 2),
            (
                user.GetProperty("id").GetGuid(),
                user.GetProperty("apple_sub").GetString(),
                user.GetProperty("email").GetString(),
                user.GetProperty("is_guest").GetBoolean(),
                user.GetProperty("credits_remaining").GetInt32()
            )
        );
        var jobs = await phone.GetAsync("/get-video-jobs");
        Assert.Equal(video.GetProperty("job_id").GetString(), jobs["jobs"][0].GetProperty("job_id").GetString());
        // Once more changes nothing.
        Assert.Equal(HttpStatusCode.OK, (await phone.PostAsync("/merge-guest-user", new { id_token = token })).Status);
        // And another Apple account is not linked to a member.
        var (other, _) = await system.PretendApple.SignInAsync(Subject());
        Assert.Equal("ERR_4012", (await phone.PostAsync("/merge-guest-user", new { id_token = other })).Code);
    }

    [Fact]
    public async Task A_guest_with_jobs_in_flight_becomes_part_of_an_existing_member()
    {
        var subject = Subject();
        var first = await system.NewGuestAsync(30);
        await first.PostAsync("/merge-guest-user", new { id_token = (await system.PretendApple.SignInAsync(subject)).Token });
        var second = await system.NewGuestAsync(40);
        var slow = (await second.GenerateAsync("In flight [slow 600]"))["job_id"].GetString()!;
        var failing = (await second.GenerateAsync("Failing in flight [fail] [slow 600]"))["job_id"].GetString()!;
        var key = Guid.NewGuid();
        var pressed = await second.GenerateAsync("Pressed before", key);

        var merged = await second.PostAsync("/merge-guest-user", new { id_token = (await system.PretendApple.SignInAsync(subject)).Token });
        Assert.True(merged.Status == HttpStatusCode.OK, merged.Text);
        Assert.Equal(first.UserId, merged["user"].GetProperty("id").GetGuid());
        Assert.Equal(46, merged["user"].GetProperty("credits_remaining").GetInt32());

        // The guest's phone goes on under its old id and token, and a press that is repeated is not charged again.
        var again = await second.GenerateAsync("Pressed before", key);
        Assert.Equal(pressed.Text, again.Text);
        // What is not there yet cannot be done there.
        await Eventually.IsAsync(
            () => system.QueryAsync<long>($"select count(*) from video_jobs where job_id in ('{slow}', '{failing}') and stage = 'submitted'"),
            there => there == 2
        );
        system.FinishAtFal("In flight [slow 600]");
        system.FinishAtFal("Failing in flight [fail] [slow 600]");
        Assert.Equal("completed", (await second.WatchAsync(slow))[^1].GetProperty("status").GetString());
        Assert.Equal("failed", (await first.WatchAsync(failing))[^1].GetProperty("status").GetString());
        Assert.Equal(54, await second.CreditsAsync());
        Assert.Equal(54, await first.CreditsAsync());
        var old = await second.GetAsync($"/get-user-profile?user_id={second.UserId}");
        Assert.Equal(first.UserId, old["id"].GetGuid());
        var file = new Uri((await first.GetAsync($"/get-video-status?job_id={slow}"))["video_url"].GetString()!);
        Assert.Equal(HttpStatusCode.OK, (await first.Http.GetAsync("/storage/v1/object/authenticated/" + file.AbsolutePath.Split("/sign/")[1])).StatusCode);
        var history = (await first.GetAsync("/get-credit-history?limit=100"))["transactions"].EnumerateArray().ToList();
        Assert.Equal(0, history.Where(line => line.GetProperty("reason").GetString() == "merge").Sum(line => line.GetProperty("change").GetInt32()));
        await system.AssertLedgerAsync();

        // The phone's device belongs to a member now: a new installation on it gets a guest of its own, without credits.
        var reinstalled = await Phone.OnboardAsync(system.Url, second.DeviceId);
        Assert.NotEqual(second.UserId, reinstalled.UserId);
        Assert.Equal(0, reinstalled.Onboarding["credits_remaining"].GetInt32());
        var joined = await reinstalled.PostAsync("/merge-guest-user", new { id_token = (await system.PretendApple.SignInAsync(subject)).Token });
        Assert.Equal(first.UserId, joined["user"].GetProperty("id").GetGuid());
    }

    [Fact]
    public async Task The_auth_api_signs_in_makes_a_member_once_and_finds_them_again()
    {
        var subject = Subject();
        var tokens = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => system.PretendApple.SignInAsync(subject, "bo@privaterelay.appleid.com")));
        var answers = await Task.WhenAll(tokens.Select(token => TokenAsync(new { provider = "apple", id_token = token.Token })));
        Assert.All(answers, answer => Assert.True(answer.Status == HttpStatusCode.OK, answer.Text));
        var user = Assert.Single(answers.Select(answer => answer["user"].GetProperty("id").GetGuid()).Distinct());
        var described = answers[0]["user"];
        Assert.False(described.GetProperty("is_anonymous").GetBoolean());
        Assert.Equal("bo@privaterelay.appleid.com", described.GetProperty("email").GetString());
        Assert.Equal("apple", described.GetProperty("app_metadata").GetProperty("provider").GetString());
        var identity = described.GetProperty("identities")[0];
        Assert.Equal(
            (subject, user.ToString(), "apple"),
            (identity.GetProperty("id").GetString(), identity.GetProperty("user_id").GetString(), identity.GetProperty("provider").GetString())
        );
        using var http = system.Anybody();
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", answers[3]["access_token"].GetString());
        Assert.Equal(0, (await ApiResponse.ReadAsync(await http.GetAsync("/get-user-credits")))["credits_remaining"].GetInt32());
    }

    [Fact]
    public async Task Linking_keeps_the_guests_id_and_an_account_that_has_a_user_is_taken()
    {
        var subject = Subject();
        var guest = await system.NewGuestAsync();
        var (token, _) = await system.PretendApple.SignInAsync(subject);
        Assert.Equal(
            HttpStatusCode.Unauthorized,
            (
                await TokenAsync(
                    new
                    {
                        provider = "apple",
                        id_token = token,
                        link_identity = true,
                    }
                )
            ).Status
        );
        var linked = await TokenAsync(
            new
            {
                provider = "apple",
                id_token = token,
                link_identity = true,
            },
            guest.AccessToken
        );
        Assert.True(linked.Status == HttpStatusCode.OK, linked.Text);
        Assert.Equal(guest.UserId, linked["user"].GetProperty("id").GetGuid());
        var other = await system.NewGuestAsync();
        var taken = await TokenAsync(
            new
            {
                provider = "apple",
                id_token = token,
                link_identity = true,
            },
            other.AccessToken
        );
        Assert.Equal((HttpStatusCode.UnprocessableEntity, "identity_already_exists"), (taken.Status, taken["code"].GetString()));
        Assert.Equal(10, await other.CreditsAsync());
    }

    [Fact]
    public async Task A_nonce_has_to_be_on_both_sides_and_fit()
    {
        const string raw = "a nonce of ours";
        var hashed = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(raw)));
        var subject = Subject();
        var with = (await system.PretendApple.SignInAsync(subject, nonce: hashed)).Token;
        var without = (await system.PretendApple.SignInAsync(subject)).Token;
        Assert.Equal(
            HttpStatusCode.OK,
            (
                await TokenAsync(
                    new
                    {
                        provider = "apple",
                        id_token = with,
                        nonce = raw,
                    }
                )
            ).Status
        );
        foreach (
            var body in new object[]
            {
                new { provider = "apple", id_token = with },
                new
                {
                    provider = "apple",
                    id_token = with,
                    nonce = hashed,
                },
                new
                {
                    provider = "apple",
                    id_token = without,
                    nonce = raw,
                },
            }
        )
        {
            var answer = await TokenAsync(body);
            Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
            Assert.Equal("Bad ID token", answer["error_description"].GetString());
        }
    }

    [Fact]
    public async Task Tokens_that_are_none_are_refused_everywhere_and_change_nothing()
    {
        var guest = await system.NewGuestAsync();
        var good = (await system.PretendApple.SignInAsync(Subject())).Token;
        var parts = good.Split('.');
        using var rsa = RSA.Create(2048);
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        string[] bad =
        [
            "",
            "a.b.c",
            parts[0] + "." + parts[1] + ".",
            parts[0] + "." + parts[1] + "." + parts[2][..^4] + "AAAA",
            parts[0]
                + "."
                + Encode(
                    new
                    {
                        iss = "https://appleid.apple.com",
                        aud = TestSystem.BundleId,
                        exp = now + 600,
                        iat = now,
                        sub = "x",
                    }
                )
                + "."
                + parts[2],
            Encode(new { alg = "none" }) + "." + parts[1] + ".",
            Forge(rsa, "an unknown key"),
            Forge(rsa, JsonDocument.Parse(Convert.FromBase64String(Pad(parts[0]))).RootElement.GetProperty("kid").GetString()!),
            (await system.PretendApple.SignInAsync(Subject(), audience: "com.example.other")).Token,
            (await system.PretendApple.SignInAsync(Subject(), issuedAt: now - 90_000)).Token,
            (await system.PretendApple.SignInAsync(Subject(), issuedAt: now + 3600 * 24)).Token[..^1],
        ];
        foreach (var token in bad)
        {
            Assert.Equal(HttpStatusCode.BadRequest, (await TokenAsync(new { provider = "apple", id_token = token })).Status);
            Assert.Equal("ERR_4005", (await guest.PostAsync("/merge-guest-user", new { id_token = token })).Code);
        }
        Assert.Equal("ERR_4005", (await guest.PostAsync("/merge-guest-user", new { id_token = good, apple_sub = "somebody else" })).Code);
        Assert.Equal("ERR_4000", (await guest.PostAsync("/merge-guest-user", new { device_id = guest.DeviceId, apple_sub = "claimed" })).Code);
        Assert.True((await guest.GetAsync("/get-user-profile"))["is_guest"].GetBoolean());
        Assert.Equal(422, (int)(await TokenAsync(new { provider = "google", id_token = good })).Status);
    }

    [Fact]
    public async Task Apples_keys_change_and_apple_goes_away()
    {
        var subject = Subject();
        Assert.Equal(
            HttpStatusCode.OK,
            (await TokenAsync(new { provider = "apple", id_token = (await system.PretendApple.SignInAsync(subject)).Token })).Status
        );
        await system.PretendApple.PostAsync("apple-id/rotate-keys", new { });
        var fresh = (await system.PretendApple.SignInAsync(subject)).Token;
        Assert.Equal(HttpStatusCode.OK, (await TokenAsync(new { provider = "apple", id_token = fresh })).Status);
        await using var outage = await system.OutageAsync("apple-id", "down");
        // Known keys go on; a key that nobody knows yet cannot be judged.
        var known = (await system.PretendApple.SignInAsync(Subject())).Token;
        Assert.Equal(HttpStatusCode.OK, (await TokenAsync(new { provider = "apple", id_token = known })).Status);
        await system.PretendApple.PostAsync("apple-id/rotate-keys", new { });
        var unknown = (await system.PretendApple.SignInAsync(subject)).Token;
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await TokenAsync(new { provider = "apple", id_token = unknown })).Status);
        await outage.EndAsync();
        await Eventually.IsAsync(async () => (await TokenAsync(new { provider = "apple", id_token = unknown })).Status, status => status == HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_banned_member_signs_in_nowhere_and_nobody_merges_into_them()
    {
        var subject = Subject();
        var member = await system.NewGuestAsync();
        await member.PostAsync("/merge-guest-user", new { id_token = (await system.PretendApple.SignInAsync(subject)).Token });
        await system.ExecuteAsync($"update users set banned_at = now() where id = '{member.UserId}'");
        var token = (await system.PretendApple.SignInAsync(subject)).Token;
        var refused = await TokenAsync(new { provider = "apple", id_token = token });
        Assert.Equal((HttpStatusCode.Forbidden, "user_banned"), (refused.Status, refused["code"].GetString()));
        var guest = await system.NewGuestAsync();
        Assert.Equal("ERR_4006", (await guest.PostAsync("/merge-guest-user", new { id_token = token })).Code);
        Assert.Equal(10, await guest.CreditsAsync());
    }

    [Theory]
    [InlineData("consent-revoked", false)]
    [InlineData("consent-revoked", true)]
    [InlineData("account-deleted", false)]
    [InlineData("account-delete", true)]
    [InlineData("email-disabled", false)]
    public async Task What_apple_says_of_an_account_is_carried_out(string type, bool asObject)
    {
        var subject = Subject();
        var member = await system.NewGuestAsync();
        var (token, code) = await system.PretendApple.SignInAsync(subject, "gone@example.com");
        await member.PostAsync("/merge-guest-user", new { id_token = token, authorization_code = code });
        Assert.True((await system.PretendApple.AccountEventAsync(type, subject, asObject)).GetProperty("accepted").GetBoolean());
        await Eventually.IsAsync(
            () => system.QueryAsync<long>("select count(*) from webhook_deliveries where inbox = 'apple_account' and status = 'pending'"),
            rows => rows == 0
        );
        var credits = await member.GetAsync("/get-user-credits");
        var isDeleted = await system.QueryAsync<bool>($"select deleted_at is not null from users where id = '{member.UserId}'");
        Assert.Equal(type.StartsWith("account", StringComparison.Ordinal), isDeleted);
        Assert.Equal(type == "email-disabled" ? HttpStatusCode.OK : HttpStatusCode.Unauthorized, credits.Status);
        // Nothing of what named the person is kept with the message.
        Assert.Equal(
            0L,
            await system.QueryAsync<long>($"select count(*) from webhook_deliveries where payload::text like '%{subject}%' or event_id like '%{subject}%'")
        );
    }

    [Fact]
    public async Task An_account_event_that_is_none_is_refused()
    {
        using var http = system.Anybody();
        var identity = (await system.PretendApple.SignInAsync(Subject())).Token;
        foreach (var payload in new[] { null, "a.b.c", identity })
        {
            Assert.Equal(HttpStatusCode.Unauthorized, (await http.PostAsJsonAsync("/apple-account-events", new { payload })).StatusCode);
        }
    }

    private async Task<ApiResponse> TokenAsync(object body, string? bearer = null)
    {
        using var http = system.Anybody();
        http.DefaultRequestHeaders.Add("x-supabase-api-version", "2024-01-01");
        if (bearer is not null)
        {
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", bearer);
        }
        return await ApiResponse.ReadAsync(await http.PostAsJsonAsync("/auth/v1/token?grant_type=id_token", body));
    }

    private static string Forge(RSA rsa, string kid)
    {
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        var text =
            Encode(new { alg = "RS256", kid })
            + "."
            + Encode(
                new
                {
                    iss = "https://appleid.apple.com",
                    aud = TestSystem.BundleId,
                    exp = now + 600,
                    iat = now,
                    sub = "forged",
                }
            );
        return text + "." + Url(rsa.SignData(Encoding.ASCII.GetBytes(text), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
    }

    private static string Encode(object value) => Url(JsonSerializer.SerializeToUtf8Bytes(value));

    private static string Url(byte[] bytes) => System.Buffers.Text.Base64Url.EncodeToString(bytes);

    private static string Pad(string part) => part.Replace('-', '+').Replace('_', '/').PadRight((part.Length + 3) / 4 * 4, '=');
}
