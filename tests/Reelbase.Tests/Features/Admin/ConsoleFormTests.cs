using System.Net;
using System.Net.Http.Headers;
using System.Text;
using OtpNet;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>Bodies at the console's endpoints that no browser of ours sends, and crowds at its sign-in.</summary>
public sealed partial class ConsoleFormTests(ConsoleFormTests.Installation system) : IClassFixture<ConsoleFormTests.Installation>
{
    /// <summary>The installation behind a proxy of its own, so that a test can come from any address.</summary>
    public sealed class Installation : AdminSystem
    {
        protected override Dictionary<string, string?> Settings => new(base.Settings) { ["Server:TrustedProxies:0"] = "127.0.0.1" };
    }

    [Theory]
    [InlineData("POST", "/admin/no-such-page", 404)]
    [InlineData("PUT", "/admin/no-such-page", 404)]
    [InlineData("POST", "/admin/no/such/page", 404)]
    [InlineData("PUT", "/admin/session", 405)]
    public async Task What_is_sent_to_no_endpoint_of_the_console_is_refused_as_that_and_not_for_its_body(string method, string path, int status)
    {
        using var http = system.Anybody();
        foreach (var body in new HttpContent?[] { null, new StringContent("{}"), new FormUrlEncodedContent([new("email", "a")]) })
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), path) { Content = body };
            var answer = await ApiResponse.ReadAsync(await http.SendAsync(request));
            Assert.Equal(status, (int)answer.Status);
            Assert.Equal("ERR_4000", answer.Code);
            Assert.Equal(status == 404 ? "unknown_route" : "not_allowed", answer["error"].GetProperty("details").GetProperty("reason").GetString());
        }
    }

    [Fact]
    public async Task A_body_that_is_no_form_is_refused_in_plain_words_at_every_endpoint_of_the_console()
    {
        var latin = Encoding.Latin1;
        var bodies = new (string What, string Type, byte[] Body)[]
        {
            ("multipart without boundary", "multipart/form-data", "email=a"u8.ToArray()),
            ("multipart that ends early", "multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\na"u8.ToArray()),
            ("multipart of another boundary", "multipart/form-data; boundary=x", "--y\r\n\r\n"u8.ToArray()),
            ("multipart with an endless boundary", "multipart/form-data; boundary=" + new string('x', 300), "--x--"u8.ToArray()),
            ("multipart with odd headers", "multipart/form-data; boundary=x", "--x\r\nnonsense\r\n\r\na\r\n--x--\r\n"u8.ToArray()),
            (
                "multipart in a forbidden charset",
                "multipart/form-data; boundary=x",
                "--x\r\nContent-Disposition: form-data; name=\"email\"\r\nContent-Type: text/plain; charset=utf-7\r\n\r\na\r\n--x--\r\n"u8.ToArray()
            ),
            (
                "too many keys",
                "application/x-www-form-urlencoded",
                latin.GetBytes(string.Join('&', Enumerable.Range(0, 2000).Select(number => $"k{number}=v")))
            ),
            ("a huge key", "application/x-www-form-urlencoded", latin.GetBytes(new string('k', 10_000) + "=v")),
            ("JSON", "application/json", "{\"email\":\"a\"}"u8.ToArray()),
            ("nothing", "text/plain", []),
            ("a charset of nobody", "application/x-www-form-urlencoded; charset=klingon", [0xFF, 0xFE, (byte)'=', 0x80]),
            ("bytes that are no text", "application/x-www-form-urlencoded; charset=utf-16", [0xD8, 0x00, 0x3D]),
        };
        using var http = system.Anybody();
        var page = await http.GetStringAsync("/admin/sign-in");
        var paths = new[] { "/admin/session", "/admin/session/password", "/admin/session/end", "/admin/sign-in", "/admin/password", "/admin" };
        foreach (var (what, type, body) in bodies)
        {
            foreach (var path in paths)
            {
                foreach (var hasToken in (bool[])[false, true])
                {
                    using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(body) };
                    request.Content.Headers.TryAddWithoutValidation("Content-Type", type);
                    if (hasToken)
                    {
                        request.Headers.Add("RequestVerificationToken", Token().Match(page).Groups[1].Value);
                    }
                    var answer = await ApiResponse.ReadAsync(await http.SendAsync(request));
                    var isReadable = what is "a charset of nobody" or "bytes that are no text";
                    Assert.True((int)answer.Status < 500, $"{what} at {path}: {answer.Status}");
                    Assert.True(isReadable || (answer.Status == HttpStatusCode.BadRequest && answer.Code == "ERR_4000"), $"{what} at {path}: {answer.Text}");
                }
            }
            foreach (var path in (string[])["/admin/passkey/challenge", "/admin/passkey/session", "/admin/passkey/new", "/admin/passkey/add"])
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(body) };
                request.Content.Headers.TryAddWithoutValidation("Content-Type", type);
                using var answer = await http.SendAsync(request);
                Assert.True((int)answer.StatusCode < 500, $"{what} at {path}: {answer.StatusCode}");
            }
        }
        using var large = await http.PostAsync("/admin/session", new FormUrlEncodedContent([new("email", new string('x', 100_000))]));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, large.StatusCode);
    }

    [Fact]
    public async Task A_large_network_fills_its_own_places_and_neither_those_of_passkeys_nor_of_a_known_browser()
    {
        const string email = "known@support.example";
        var admin = await system.NewAdminAsync(email);
        var password = admin.Password;
        var secret = Base32Encoding.ToBytes(admin.TotpSecret);
        async Task<string> CodeAsync()
        {
            // Each code works once; the test has no half a minute to wait for the next.
            await system.ExecuteAsync("update admin_credentials set totp_step = 0");
            return new Totp(secret).ComputeTotp();
        }
        using var own = Browser("2001:db8:aa:1::1");
        Assert.Equal("/admin", await LocationAsync(own, email, password, await CodeAsync()));
        // A /48 has five times the places of an address, however many /64s of it ask. Most of them are taken already, and no window ends before this test.
        await system.ExecuteAsync(
            "insert into rate_limit_log (ip_address, action, created_at) select '2001:db8:aa::/64', 'admin_sign_in_48', now() + interval '1 hour' from generate_series(1, 90)"
        );
        var answers = new List<string>();
        for (var network = 0; network < 20; network++)
        {
            using var stranger = Browser($"2001:db8:aa:{network + 16:x}::1");
            answers.Add(await LocationAsync(stranger, $"nobody-{network}@support.example", "guessing", "123456"));
        }
        Assert.Equal(10, answers.Count(answer => answer.EndsWith("wrong=yes", StringComparison.Ordinal)));
        Assert.Equal(10, answers.Count(answer => answer.EndsWith("wrong=busy", StringComparison.Ordinal)));
        using var unknown = Browser("2001:db8:aa:2::1");
        Assert.EndsWith("wrong=busy", await LocationAsync(unknown, email, password, await CodeAsync()), StringComparison.Ordinal);
        using var elsewhere = Browser("2001:db8:ab::1");
        Assert.Equal("/admin", await LocationAsync(elsewhere, email, password, await CodeAsync()));
        // The browser of this admin is not kept out, nor locked by who fails in their name beside them.
        await system.ExecuteAsync(
            $"insert into admin_sign_in_failures (account, network, failures, failed_at, locked_until) values (internal.admin_account('{email}'), '2001:db8:aa:1::', 5, now(), now() + interval '1 hour')"
        );
        Assert.Equal("/admin", await LocationAsync(own, email, password, await CodeAsync()));
        // It is no way to guess on: it has as many attempts as lock an account, and is a stranger then; and it is known for its own admin only.
        Assert.EndsWith("wrong=busy", await LocationAsync(own, "first@support.example", "guessing", "123456"), StringComparison.Ordinal);
        for (var attempt = 0; attempt < 5; attempt++)
        {
            Assert.EndsWith("wrong=yes", await LocationAsync(own, email, "guessing", "123456"), StringComparison.Ordinal);
        }
        Assert.EndsWith("wrong=busy", await LocationAsync(own, email, password, await CodeAsync()), StringComparison.Ordinal);
        // Passkeys have places of their own.
        Assert.Equal(["True"], await system.RowsAsync("select internal.take_admin_place('admin_passkey_sign_in', '2001:db8:aa:1::', 20, 300)"));
        using var forged = Browser("2001:db8:aa:3::1");
        forged.DefaultRequestHeaders.Add("Cookie", "reelbase_known=AAAA");
        Assert.EndsWith("wrong=busy", await LocationAsync(forged, email, password, await CodeAsync()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task How_well_a_password_is_chosen_is_checked_for_who_has_proven_to_be_an_admin_only()
    {
        var answers = new List<string>();
        for (var attempt = 0; attempt < 21; attempt++)
        {
            using var stranger = Browser("198.51.100.77");
            answers.Add(
                await PostAsync(
                    stranger,
                    "/admin/session/password",
                    ("email", "first@support.example"),
                    ("password", "guessing"),
                    ("code", "123456"),
                    ("chosen", "passwordpassword"),
                    ("again", "passwordpassword")
                )
            );
        }
        Assert.All(answers[..20], answer => Assert.Equal("/admin/password?wrong=yes", answer));
        Assert.Equal("/admin/password?wrong=busy", answers[20]);
    }

    private HttpClient Browser(string from)
    {
        var browser = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = new Uri(system.Url) };
        browser.DefaultRequestHeaders.Add("X-Forwarded-For", from);
        browser.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("text/html"));
        return browser;
    }

    private static Task<string> LocationAsync(HttpClient browser, string email, string password, string code) =>
        PostAsync(browser, "/admin/session", ("email", email), ("password", password), ("code", code));

    private static async Task<string> PostAsync(HttpClient browser, string path, params (string Name, string Value)[] fields)
    {
        var page = await browser.GetStringAsync("/admin/sign-in");
        using var answer = await browser.PostAsync(
            path,
            new FormUrlEncodedContent([
                new("__RequestVerificationToken", Token().Match(page).Groups[1].Value),
                .. fields.Select(field => KeyValuePair.Create(field.Name, field.Value)),
            ])
        );
        return answer.Headers.Location?.ToString() ?? $"{(int)answer.StatusCode}";
    }

    [System.Text.RegularExpressions.GeneratedRegex("name=\"__RequestVerificationToken\" value=\"([^\"]+)\"")]
    private static partial System.Text.RegularExpressions.Regex Token();
}
