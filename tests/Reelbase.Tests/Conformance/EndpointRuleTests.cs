using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Reelbase.Server.Platform.Security;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>Rules of the endpoints that stand beside those of their features: what the switch for shipped builds does not loosen, how old a sign-in may be, and what is kept nowhere.</summary>
public sealed class EndpointRuleTests(EndpointRuleTests.Open system) : IClassFixture<EndpointRuleTests.Open>
{
    /// <summary>The switch for shipped builds is open.</summary>
    public sealed class Open : TestSystem
    {
        protected override Dictionary<string, string?> Settings => new() { ["Server:AcceptUnverifiedUserId"] = "true" };

        public string AnonKey => ((AccessTokens)Server.Services.GetService(typeof(AccessTokens))!).CreateAnonKey();
    }

    [Fact]
    public async Task A_merge_that_nobody_has_proven_ends_no_session_and_opens_none()
    {
        var phone = await system.NewGuestAsync();
        var second = await Phone.OnboardAsync(system.Url, phone.DeviceId);
        using var app = App();
        var subject = "001." + Guid.NewGuid().ToString("N");
        var merged = await ApiResponse.ReadAsync(
            await app.PostAsJsonAsync("/functions/v1/merge-guest-user", new { device_id = phone.DeviceId, apple_sub = subject })
        );
        Assert.True(merged.Status == HttpStatusCode.OK, merged.Text);
        foreach (var session in new[] { phone, second })
        {
            Assert.Equal(HttpStatusCode.OK, (await session.GetAsync("/get-user-profile")).Status);
            var refreshed = await session.PostAsync("/auth/v1/token?grant_type=refresh_token", new { refresh_token = session.RefreshToken });
            Assert.Equal(HttpStatusCode.OK, refreshed.Status);
        }
        // Whoever says a user's id is handed no session of theirs.
        Assert.DoesNotContain("access_token", merged.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("refresh_token", merged.Text, StringComparison.Ordinal);
        Assert.Equal(2L, await system.QueryAsync<long>($"select count(*) from sessions where user_id = '{phone.UserId}' and revoked_at is null"));
    }

    [Theory]
    [InlineData(-8 * 60, true)]
    [InlineData(-30, true)]
    [InlineData(100, true)]
    [InlineData(-13 * 60, false)]
    [InlineData(-24 * 60 * 60 + 600, false)]
    [InlineData(5 * 60, false)]
    public async Task An_identity_token_is_at_most_ten_minutes_old_and_clocks_may_differ_by_two(int seconds, bool isGood)
    {
        var phone = await system.NewGuestAsync();
        var issued = DateTimeOffset.UtcNow.ToUnixTimeSeconds() + seconds;
        var (token, _) = await system.PretendApple.SignInAsync("age." + Guid.NewGuid(), issuedAt: issued);
        using var nobody = system.Anybody();
        if (!isGood)
        {
            var refused = await ApiResponse.ReadAsync(
                await nobody.PostAsJsonAsync("/auth/v1/token?grant_type=id_token", new { provider = "apple", id_token = token })
            );
            Assert.Equal(HttpStatusCode.BadRequest, refused.Status);
        }
        var answer = await phone.PostAsync("/merge-guest-user", new { id_token = token });
        Assert.Equal(isGood ? (HttpStatusCode.OK, null) : (HttpStatusCode.Unauthorized, "ERR_4005"), (answer.Status, answer.Code));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Under_the_switch_the_anon_key_counts_as_the_token_and_nothing_else_lets_a_large_body_in(bool hasKey)
    {
        const int bodyBytes = 900_000;
        using var client = new TcpClient();
        var server = new Uri(system.Url);
        using var limit = Patience.Limit();
        await client.ConnectAsync(server.Host, server.Port, limit.Token);
        var stream = client.GetStream();
        var key = hasKey ? $"apikey: {system.AnonKey}\r\nAuthorization: Bearer {system.AnonKey}\r\n" : "";
        var head =
            $"POST /generate-video HTTP/1.1\r\nHost: {server.Authority}\r\nContent-Type: application/json\r\n{key}Content-Length: {bodyBytes}\r\nConnection: close\r\n\r\n";
        await stream.WriteAsync(Encoding.ASCII.GetBytes(head), limit.Token);
        if (!hasKey)
        {
            // Not one byte of the body has been sent, and the answer is here.
            var buffer = new byte[16 * 1024];
            var read = await stream.ReadAsync(buffer, limit.Token);
            Assert.StartsWith("HTTP/1.1 401", Encoding.ASCII.GetString(buffer, 0, read), StringComparison.Ordinal);
            return;
        }
        var body = "{\"prompt\":\"" + new string('x', bodyBytes - 13) + "\"}";
        await stream.WriteAsync(Encoding.ASCII.GetBytes(body), limit.Token);
        using var reader = new StreamReader(stream, Encoding.UTF8);
        var answer = await reader.ReadToEndAsync(limit.Token);
        // The body was read, and what is wrong with it is said.
        Assert.Matches("^HTTP/1.1 4(00|01|13|22) ", answer);
        Assert.Contains("ERR_", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_strangers_trace_is_kept_as_a_link_of_ours()
    {
        var trace = ActivityTraceId.CreateRandom();
        var span = ActivitySpanId.CreateRandom();
        var seen = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Microsoft.AspNetCore",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity =>
            {
                if (activity.Links.Any(link => link.Context.TraceId == trace))
                {
                    seen.Enqueue(activity);
                }
            },
        };
        ActivitySource.AddActivityListener(listener);
        using var http = system.Anybody();
        http.DefaultRequestHeaders.Add("traceparent", $"00-{trace}-{span}-01");
        using var answer = await http.GetAsync("/nowhere");
        var ours = await Eventually.IsAsync(() => Task.FromResult(seen.FirstOrDefault()), activity => activity is not null);
        var link = Assert.Single(ours!.Links);
        Assert.Equal((trace, span), (link.Context.TraceId, link.Context.SpanId));
        Assert.NotEqual(trace, ours.TraceId);
        Assert.Equal(default, ours.ParentSpanId);
    }

    [Fact]
    public async Task Every_answer_to_a_user_says_no_store_and_only_lists_for_everybody_may_be_kept()
    {
        var phone = await system.NewGuestAsync();
        var document = JsonDocument.Parse(await File.ReadAllTextAsync(Repository.PathOf("docs/api/openapi.v1.json"))).RootElement;
        string[] forEverybody = ["/get-models", "/get-themes", "/get-products", "/get-app-settings", "/get-consent-terms", "/auth/v1/.well-known/jwks.json"];
        var wrong = new List<string>();
        var count = 0;
        foreach (var path in document.GetProperty("paths").EnumerateObject())
        {
            foreach (var operation in path.Value.EnumerateObject())
            {
                // Names that nobody has: what is asked for does not matter here, but who may keep the answer.
                var address = path
                    .Name.Replace("{bucket}", "uploads", StringComparison.Ordinal)
                    .Replace("{name}", $"{phone.UserId}/x.jpg", StringComparison.Ordinal);
                if (address.Contains('{') || forEverybody.Contains(address) || address.StartsWith("/health", StringComparison.Ordinal))
                {
                    continue;
                }
                using var request = new HttpRequestMessage(new HttpMethod(operation.Name.ToUpperInvariant()), address);
                if (operation.Name is not "get" and not "head")
                {
                    request.Content = new StringContent("{}", Encoding.UTF8, "application/json");
                }
                // Its end is another test's.
                if (address is "/delete-account" or "/auth/v1/logout")
                {
                    request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", "nobody");
                }
                using var answer = await phone.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
                count++;
                var kept = string.Join(", ", answer.Headers.TryGetValues("Cache-Control", out var values) ? values : ["(nothing)"]);
                if (!kept.Contains("no-store", StringComparison.Ordinal))
                {
                    wrong.Add($"{operation.Name} {address}: {(int)answer.StatusCode} {kept}");
                }
            }
        }
        Assert.True(count > 40, $"{count}");
        Assert.Empty(wrong);
    }

    private HttpClient App()
    {
        var http = system.Anybody();
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", system.AnonKey);
        http.DefaultRequestHeaders.Add("apikey", system.AnonKey);
        return http;
    }
}
