using System.Buffers.Binary;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OtpNet;
using Reelbase.Server.Features.Admin;
using Reelbase.Server.Platform.Database;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>Passwords of admins: what one may be, how it is changed, and how long the command line's is good.</summary>
public sealed partial class AdminPasswordTests(AdminPasswordTests.Installation system) : IClassFixture<AdminPasswordTests.Installation>
{
    /// <summary>Hashes as every installation makes them.</summary>
    public sealed class Installation : AdminSystem
    {
        protected override AdminPasswords Passwords { get; } = new();
    }

    private const string Good = "sieben Krähen im Nebel";
    private const string Email = "ursula@support.example";

    [Theory]
    [InlineData("sieben Krähen im Nebel", null)]
    [InlineData("correct horse battery staple", null)]
    [InlineData("mmnzrwqkflpxgvy", null)]
    [InlineData("  spaces count,  too  ", null)]
    [InlineData("ağaçtaki kırmızı elma", null)]
    [InlineData("", "short")]
    [InlineData("Kz7!Qm2?PzX4vT", "short")]
    [InlineData("🐢🐢🐢🐢🐢🐢🐢🐢", "short")]
    // Among the most used ones, plainly or dressed up.
    [InlineData("passwordpassword", "common")]
    [InlineData("P@ssw0rdP@ssw0rd1", "common")]
    [InlineData("123456789012345678", "common")]
    [InlineData("qwertyuiopasdfghjkl", "common")]
    [InlineData("1qaz2wsx3edc4rfv", "common")]
    [InlineData("iloveyou1234567", "common")]
    [InlineData("aaaaaaaaaaaaaaaaaaaa", "common")]
    [InlineData("trustno1trustno1", "common")]
    // About us, the machine, or the admin.
    [InlineData("reelbase-support-1", "common")]
    [InlineData("ursula@support.example", "common")]
    [InlineData("Ursula-Reelbase-Admin", "common")]
    [InlineData("kanzlei-backend-kanzlei", "common")]
    public void A_password_is_long_and_neither_common_nor_about_us(string password, string? fault) =>
        Assert.Equal(fault, AdminPasswords.FindFault(password, Email, "backend.kanzlei.example"));

    [Fact]
    public void A_password_counts_letter_for_letter()
    {
        // 128 characters are fine, whatever they are, and one more is refused instead of cut.
        var longest = string.Concat(Enumerable.Range(0, 32).Select(n => $"{(char)('a' + n % 26)}{n % 10}é{(char)('Z' - n % 26)}"));
        Assert.Equal(128, longest.Length);
        Assert.Null(AdminPasswords.FindFault(longest, Email, null));
        Assert.Equal("long", AdminPasswords.FindFault(longest + "x", Email, null));
        var passwords = new AdminPasswords();
        var hash = passwords.Hash(longest);
        Assert.True(passwords.Check(hash, longest).IsRight);
        foreach (var other in new[] { longest[..127], longest + " ", " " + longest, longest.ToUpperInvariant(), longest.Replace('é', 'e') })
        {
            Assert.False(passwords.Check(hash, other).IsRight);
        }
        Assert.NotEqual(hash, passwords.Hash(longest));
    }

    [Fact]
    public async Task An_admin_changes_the_password_with_the_old_one_and_a_code_and_every_session_ends()
    {
        var (first, secret) = await CreateAsync(Email);
        using var browser = Browser();
        Assert.Equal("/admin", await SignInAsync(browser, Email, first, await CodeAsync(Email, secret)));
        Assert.Equal(1L, await OpenSessionsAsync(Email));
        async Task<string> ChooseAsync(string present, string chosen, string? again = null, string? code = null)
        {
            using var other = Browser();
            return await PostAsync(
                other,
                "/admin/password",
                "/admin/session/password",
                ("email", Email),
                ("password", present),
                ("chosen", chosen),
                ("again", again ?? chosen),
                ("code", code ?? await CodeAsync(Email, secret))
            );
        }
        Assert.Equal("/admin/password?wrong=yes", await ChooseAsync("not the present one", Good));
        Assert.Equal("/admin/password?wrong=yes", await ChooseAsync(first, Good, code: "000000"));
        Assert.Equal("/admin/password?wrong=different", await ChooseAsync(first, Good, "something else entirely"));
        Assert.Equal("/admin/password?wrong=common", await ChooseAsync(first, "passwordpassword"));
        Assert.Equal("/admin/password?wrong=short", await ChooseAsync(first, "too short"));
        Assert.Equal("/admin/password?wrong=same", await ChooseAsync(first, first));
        Assert.Equal(1L, await OpenSessionsAsync(Email));
        Assert.Equal("/admin/sign-in?changed=yes", await ChooseAsync(first, $"  {Good} "));
        // Whoever sits at an open console is signed out, and the others learn of it.
        Assert.Equal(0L, await OpenSessionsAsync(Email));
        var id = await system.IdAsync(Email);
        Assert.Equal([$"{id}|{id}"], await system.RowsAsync("select admin_user_id, target_user_id from admin_actions where action_type = 'admin_password'"));
        Assert.Equal(1L, await system.QueryAsync<long>($"select count(*) from alerts where kind = 'admin_password_changed' and message like '%{id}%'"));
        Assert.Equal("/admin/sign-in?wrong=yes", await SignInAsync(browser, Email, first, await CodeAsync(Email, secret)));
        Assert.Equal("/admin/sign-in?wrong=yes", await SignInAsync(browser, Email, Good, await CodeAsync(Email, secret)));
        // It stays good for as long as nobody changes it.
        await system.ExecuteAsync("update admin_credentials set changed_at = now() - interval '3 years'");
        Assert.Equal("/admin", await SignInAsync(browser, Email, $"  {Good} ", await CodeAsync(Email, secret)));
    }

    [Fact]
    public async Task The_first_password_is_good_for_choosing_ones_own_and_ends_after_a_day()
    {
        const string email = "late@support.example";
        var (first, secret) = await CreateAsync(email);
        Assert.Equal(20, first.Length);
        Assert.Null(AdminPasswords.FindFault(first, email, null));
        Assert.Equal(
            ["24"],
            await system.RowsAsync(
                $"select round(extract(epoch from initial_until - now()) / 3600) from admin_credentials where user_id = '{await system.IdAsync(email)}'"
            )
        );
        using var browser = Browser();
        Assert.Equal("/admin", await SignInAsync(browser, email, first, await CodeAsync(email, secret)));
        await system.ExecuteAsync($"update admin_credentials set initial_until = now() - interval '1 second' where user_id = '{await system.IdAsync(email)}'");
        Assert.Equal("/admin/sign-in?wrong=yes", await SignInAsync(browser, email, first, await CodeAsync(email, secret)));
        Assert.Equal(
            "/admin/password?wrong=yes",
            await PostAsync(
                browser,
                "/admin/password",
                "/admin/session/password",
                ("email", email),
                ("password", first),
                ("chosen", Good),
                ("again", Good),
                ("code", await CodeAsync(email, secret))
            )
        );
        // Whoever has the machine makes another one, with a factor of its own; what was open ends.
        var (second, newSecret) = await CreateAsync(email);
        Assert.NotEqual(secret, newSecret);
        Assert.Equal(0L, await OpenSessionsAsync(email));
        Assert.Equal("/admin", await SignInAsync(browser, email, second, await CodeAsync(email, newSecret)));
    }

    [Fact]
    public async Task The_forms_mask_passwords_and_let_managers_fill_them_in()
    {
        using var browser = Browser();
        var fields = new[] { "/admin/sign-in", "/admin/password" }
            .Select(path => browser.GetStringAsync(path))
            .SelectMany(page => Input().Matches(page.GetAwaiter().GetResult()).Select(match => match.Value))
            .Where(field => !field.Contains("hidden", StringComparison.Ordinal))
            .ToList();
        var secrets = fields.Where(field => field.Contains("-password\"", StringComparison.Ordinal)).ToList();
        Assert.Equal(4, secrets.Count);
        Assert.All(secrets, field => Assert.Contains("type=\"password\"", field, StringComparison.Ordinal));
        Assert.All(fields, field => Assert.Matches("autocomplete=\"(username|current-password|new-password|one-time-code)\"", field));
        Assert.All(fields, field => Assert.DoesNotMatch("onpaste|oncopy|autocomplete=\"off\"|readonly|pattern=\"(?!\\[0-9\\]\\{6\\})", field));
        Assert.All(secrets, field => Assert.Contains("maxlength=\"128\"", field, StringComparison.Ordinal));
        Assert.DoesNotContain("paste", await File.ReadAllTextAsync(Repository.PathOf("src/Reelbase.Server/wwwroot/console.js")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_older_hash_is_renewed_at_the_next_sign_in()
    {
        const string email = "veteran@support.example";
        var (_, secret) = await CreateAsync(email);
        var old = new PasswordHasher<object>(Options.Create(new PasswordHasherOptions { IterationCount = 100_000 })).HashPassword(new(), Good);
        await system.ExecuteAsync($"update admin_credentials set password_hash = '{old}' where user_id = '{await system.IdAsync(email)}'");
        using var browser = Browser();
        Assert.Equal("/admin", await SignInAsync(browser, email, Good, await CodeAsync(email, secret)));
        var hash = await system.QueryAsync<string>($"select password_hash from admin_credentials where user_id = '{await system.IdAsync(email)}'");
        var bytes = Convert.FromBase64String(hash);
        // The framework's third format: function 2 is HMAC-SHA-512.
        Assert.Equal((1, 2u), (bytes[0], BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(1))));
        Assert.Equal(210_000u, BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(5)));
        Assert.Equal("/admin", await SignInAsync(browser, email, Good, await CodeAsync(email, secret)));
    }

    [Fact]
    public async Task Every_attempt_to_sign_in_is_in_the_log_without_a_name()
    {
        const string email = "watched@support.example";
        var (password, secret) = await CreateAsync(email);
        var log = new Lines();
        var services = system.Server.Services;
        using var signIn = new AdminSignIn(
            services.GetRequiredService<ApiDatabase>(),
            services.GetRequiredService<AdminCredentials>(),
            services.GetRequiredService<AdminPasswords>(),
            services.GetRequiredService<IOptions<AdminOptions>>(),
            log
        );
        async Task TryAsync(string name, string word, string code) =>
            await signIn.TryAsync(new(name, word, code, System.Net.IPAddress.Parse("192.0.2.66")), CancellationToken.None);
        await TryAsync("nobody@support.example", password, "123456");
        await TryAsync(email, "guessing at it", "123456");
        await TryAsync(email, password, "000000");
        var code = await CodeAsync(email, secret);
        await TryAsync(email, password, code);
        await TryAsync(email, password, code);
        Assert.Equal(
            ["unknown_account", "wrong_password", "wrong_code", "succeeded", "code_used_or_first_password_over"],
            log.All.Select(line => Regex.Match(line, "code: (\\w+) ").Groups[1].Value)
        );
        Assert.Equal(4, log.All.Count(line => line.Contains($"{system.IdAsync(email).GetAwaiter().GetResult()}", StringComparison.Ordinal)));
        Assert.All(log.All, line => Assert.DoesNotMatch($"@|192\\.0\\.2|{password}|guessing|{code}", line));
    }

    private async Task<(string Password, string Secret)> CreateAsync(string email)
    {
        var admin = await system.NewAdminAsync(email);
        return (admin.Password, admin.TotpSecret);
    }

    /// <summary>A code that counts: the used ones, the failures and the attempts of this address are forgotten.</summary>
    private async Task<string> CodeAsync(string email, string secret)
    {
        await system.ExecuteAsync(
            $"update admin_credentials set totp_step = 0 where user_id = '{await system.IdAsync(email)}'; delete from admin_sign_in_failures; "
                + "delete from rate_limit_log where action = 'admin_sign_in'"
        );
        return new Totp(Base32Encoding.ToBytes(secret)).ComputeTotp();
    }

    private Task<long> OpenSessionsAsync(string email) =>
        system.QueryAsync<long>(
            $"select count(*) from sessions s join users u on u.id = s.user_id where u.email = '{email}' and s.method = 'admin' and s.revoked_at is null"
        );

    private HttpClient Browser() => new(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = new Uri(system.Url) };

    private static Task<string> SignInAsync(HttpClient browser, string email, string password, string code) =>
        PostAsync(browser, "/admin/sign-in", "/admin/session", ("email", email), ("password", password), ("code", code));

    private static async Task<string> PostAsync(HttpClient browser, string page, string target, params (string Name, string Value)[] fields)
    {
        var token = Token().Match(await browser.GetStringAsync(page)).Groups[1].Value;
        using var answer = await browser.PostAsync(
            target,
            new FormUrlEncodedContent(fields.ToDictionary(field => field.Name, field => field.Value).Append(new("__RequestVerificationToken", token)))
        );
        return answer.Headers.Location?.ToString() ?? $"{(int)answer.StatusCode}";
    }

    [GeneratedRegex("name=\"__RequestVerificationToken\" value=\"([^\"]+)\"")]
    private static partial Regex Token();

    [GeneratedRegex("<input [^>]*>")]
    private static partial Regex Input();

    private sealed class Lines : ILogger<AdminSignIn>
    {
        public List<string> All { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            All.Add(formatter(state, exception));
    }
}
