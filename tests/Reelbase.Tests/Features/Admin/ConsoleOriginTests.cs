using System.Net;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Reelbase.Simulators;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>What a page of somebody else, or somebody on the same network, gets from the console.</summary>
public sealed class ConsoleOriginTests(ConsoleOriginTests.Installation system) : IClassFixture<ConsoleOriginTests.Installation>
{
    [Theory]
    [InlineData("https://evil.example")]
    [InlineData("http://127.0.0.1:1")]
    [InlineData("null")]
    [InlineData("not an origin")]
    public async Task The_consoles_connection_is_refused_to_pages_of_other_origins(string origin)
    {
        using var http = system.Anybody();
        http.DefaultRequestHeaders.TryAddWithoutValidation("Origin", origin);
        var answer = await ApiResponse.ReadAsync(await http.PostAsync("/_blazor/negotiate?negotiateVersion=1", null));
        Assert.Equal(HttpStatusCode.Forbidden, answer.Status);
        Assert.Equal("ERR_4006", answer.Code);
        Assert.False(await ConnectsAsync(origin));
    }

    [Fact]
    public async Task Its_own_pages_connect_and_a_socket_without_an_origin_does_not()
    {
        using var http = system.Anybody();
        http.DefaultRequestHeaders.TryAddWithoutValidation("Origin", system.Url);
        using var answer = await http.PostAsync("/_blazor/negotiate?negotiateVersion=1", null);
        Assert.NotEqual(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Contains("frame-ancestors 'none'", Assert.Single(answer.Headers.GetValues("Content-Security-Policy")), StringComparison.Ordinal);
        Assert.False(await ConnectsAsync(null));
    }

    [Fact]
    public async Task In_production_its_cookies_are_secure_and_bound_to_the_host()
    {
        await using var node = system.BuildServer(new() { ["Server:TrustedProxies:0"] = "127.0.0.1" }, "Production");
        await node.StartAsync();
        var cookie = node.Services.GetRequiredService<IOptionsMonitor<CookieAuthenticationOptions>>().Get("console").Cookie;
        Assert.Equal("__Host-reelbase_admin", cookie.Name);
        Assert.Equal(CookieSecurePolicy.Always, cookie.SecurePolicy);
        Assert.Null(cookie.Domain);
        var form = node.Services.GetRequiredService<IOptions<AntiforgeryOptions>>().Value.Cookie;
        Assert.Equal("__Host-reelbase_form", form.Name);
        using var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false })
        {
            BaseAddress = new Uri(TestSystem.AddressOf(node)),
        };
        // Without TLS, also that of a trusted proxy, there is no sign-in.
        var plain = await ApiResponse.ReadAsync(await http.GetAsync("/admin/sign-in"));
        Assert.Equal((HttpStatusCode.Forbidden, "ERR_4006"), (plain.Status, plain.Code));
        http.DefaultRequestHeaders.TryAddWithoutValidation("X-Forwarded-For", "198.51.100.3");
        http.DefaultRequestHeaders.TryAddWithoutValidation("X-Forwarded-Proto", "https");
        using var page = await http.GetAsync("/admin/sign-in");
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        var set = Assert.Single(page.Headers.GetValues("Set-Cookie"));
        Assert.StartsWith("__Host-reelbase_form=", set, StringComparison.Ordinal);
        Assert.Contains("; secure", set, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("; path=/;", set, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("domain=", set, StringComparison.OrdinalIgnoreCase);
        // The API takes neither name of the cookie.
        http.DefaultRequestHeaders.TryAddWithoutValidation("Cookie", "__Host-reelbase_admin=whatever");
        Assert.Equal("ERR_4006", (await ApiResponse.ReadAsync(await http.GetAsync("/admin-list-admins"))).Code);
        await node.StopAsync();
    }

    [Fact]
    public async Task In_production_a_plain_address_of_its_own_has_to_be_allowed()
    {
        using var own = LoopbackAddress.Hold();
        var error = Assert.Throws<OptionsValidationException>(() => (object)system.BuildServer(new() { ["Admin:ListenUrl"] = own.Url }, "Production"));
        Assert.Contains("Admin:ListenUrl", error.Message, StringComparison.Ordinal);
        Assert.Contains("Admin:AllowInsecure", error.Message, StringComparison.Ordinal);
        await using var node = system.BuildServer(new() { ["Admin:ListenUrl"] = own.Url, ["Admin:AllowInsecure"] = "true" }, "Production");
        await node.StartAsync();
        using var http = new HttpClient { BaseAddress = new Uri(own.Url) };
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync("/admin/sign-in")).StatusCode);
        await node.StopAsync();
    }

    [Fact]
    public async Task Its_cookies_are_strict_and_out_of_reach_of_scripts_and_signing_out_clears_what_the_browser_keeps()
    {
        var services = system.Server.Services;
        var session = services.GetRequiredService<IOptionsMonitor<CookieAuthenticationOptions>>().Get("console").Cookie;
        Assert.True(session.HttpOnly);
        Assert.Equal(SameSiteMode.Strict, session.SameSite);
        using var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = new Uri(system.Url) };
        using var page = await http.GetAsync("/admin/sign-in");
        var form = Assert.Single(page.Headers.GetValues("Set-Cookie"));
        Assert.Contains("; httponly", form, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("; samesite=strict", form, StringComparison.OrdinalIgnoreCase);
        var policy = Assert.Single(page.Headers.GetValues("Content-Security-Policy"));
        Assert.Contains("script-src 'self';", policy, StringComparison.Ordinal);
        Assert.Contains("object-src 'none';", policy, StringComparison.Ordinal);
        Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
        var token = System.Text.RegularExpressions.Regex.Match(
            await page.Content.ReadAsStringAsync(),
            "name=\"__RequestVerificationToken\" value=\"([^\"]+)\""
        );
        using var ended = await http.PostAsync(
            "/admin/session/end",
            new FormUrlEncodedContent(new Dictionary<string, string> { ["__RequestVerificationToken"] = token.Groups[1].Value })
        );
        Assert.Equal("/admin/sign-in", ended.Headers.Location?.ToString());
        Assert.Equal("\"cache\"", Assert.Single(ended.Headers.GetValues("Clear-Site-Data")));
    }

    [Fact]
    public async Task A_session_of_the_console_ends_when_it_is_idle_and_when_it_is_old()
    {
        var (admin, session) = (Guid.NewGuid(), Guid.NewGuid());
        await system.ExecuteAsync(
            $"insert into users (id, email, is_guest, is_admin) values ('{admin}', 'idle@support.example', false, true); "
                + $"insert into sessions (id, user_id, method) values ('{session}', '{admin}', 'admin')"
        );
        Task RunAsync() =>
            system.ExecuteAsync(
                $$"""select set_config('request.jwt.claims', '{"sub":"{{admin}}","role":"authenticated","session_id":"{{session}}"}', true); select check_admin_session(30, 480, false)"""
            );
        Task AgeAsync(string column, int minutes) =>
            system.ExecuteAsync($"update sessions set {column} = now() - interval '{minutes} minutes' where id = '{session}'");
        await RunAsync();
        await AgeAsync("created_at", 479);
        await AgeAsync("refreshed_at", 29);
        await RunAsync();
        await AgeAsync("refreshed_at", 31);
        Assert.Equal("ERR_4005", (await Assert.ThrowsAsync<Npgsql.PostgresException>(RunAsync)).MessageText);
        await AgeAsync("refreshed_at", 0);
        await AgeAsync("created_at", 481);
        Assert.Equal("ERR_4005", (await Assert.ThrowsAsync<Npgsql.PostgresException>(RunAsync)).MessageText);
    }

    private async Task<bool> ConnectsAsync(string? origin)
    {
        using var socket = new ClientWebSocket();
        if (origin is not null)
        {
            socket.Options.SetRequestHeader("Origin", origin);
        }
        using var limit = Patience.Limit();
        try
        {
            await socket.ConnectAsync(new Uri(system.Url.Replace("http://", "ws://", StringComparison.Ordinal) + "/_blazor"), limit.Token);
            return true;
        }
        catch (WebSocketException)
        {
            return false;
        }
    }

    public sealed class Installation : TestSystem
    {
        protected override bool HasConsole => true;
    }
}
