using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using OtpNet;
using Reelbase.Server.Features.Admin;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>Signing in to the console from several addresses: who is locked out, and who is not.</summary>
public sealed partial class AdminSignInTests(AdminSystem system) : IClassFixture<AdminSystem>
{
    private const int MaxFailedAttempts = 5;

    [Fact]
    public async Task The_lock_is_for_the_account_and_the_address_so_a_stranger_keeps_no_admin_out()
    {
        await UtcTime.SameDayAsync();
        var (password, secret) = await CreateAsync("locked@support.example");
        for (var attempt = 0; attempt < MaxFailedAttempts; attempt++)
        {
            Assert.False(await SignInAsync("127.0.0.11", "locked@support.example", "guessing", "123456"));
        }
        Assert.False(await SignInAsync("127.0.0.11", "locked@support.example", password, Code(secret)));
        // The same person on another address, and somebody else on the locked one.
        Assert.True(await SignInAsync("127.0.0.12", "LOCKED@support.example", password, Code(secret)));
        var (other, otherSecret) = await CreateAsync("colleague@support.example");
        Assert.True(await SignInAsync("127.0.0.11", "colleague@support.example", other, Code(otherSecret)));
        Assert.Equal(
            1L,
            await system.QueryAsync<long>(
                $"select count(*) from alerts where kind = 'admin_locked_out' and dedupe_key like '{await system.IdAsync("locked@support.example")}%'"
            )
        );
    }

    [Fact]
    public async Task The_lock_decays()
    {
        var (password, secret) = await CreateAsync("patient@support.example");
        for (var attempt = 0; attempt < MaxFailedAttempts; attempt++)
        {
            Assert.False(await SignInAsync("127.0.0.21", "patient@support.example", "guessing", "123456"));
        }
        Assert.False(await SignInAsync("127.0.0.21", "patient@support.example", password, Code(secret)));
        // Its time has passed: one more attempt is free, and one that fails locks again.
        await system.ExecuteAsync(
            "update admin_sign_in_failures set locked_until = locked_until - interval '301 seconds', failed_at = failed_at - interval '301 seconds'"
        );
        Assert.False(await SignInAsync("127.0.0.21", "patient@support.example", "guessing", "123456"));
        Assert.False(await SignInAsync("127.0.0.21", "patient@support.example", password, Code(secret)));
        await system.ExecuteAsync("update admin_sign_in_failures set locked_until = locked_until - interval '1 day', failed_at = failed_at - interval '1 day'");
        for (var attempt = 1; attempt < MaxFailedAttempts; attempt++)
        {
            Assert.False(await SignInAsync("127.0.0.21", "patient@support.example", "guessing", "123456"));
        }
        Assert.True(await SignInAsync("127.0.0.21", "patient@support.example", password, Code(secret)));
        Assert.Equal(["0"], await system.RowsAsync("select count(*) from admin_sign_in_failures where network = '127.0.0.21'"));
    }

    [Fact]
    public async Task An_address_makes_so_many_attempts_and_what_is_over_costs_no_hashing()
    {
        var (password, secret) = await CreateAsync("flooded@support.example");
        var answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(n => LocationAsync("127.0.0.31", $"nobody-{n}@support.example", "guessing", "123456")));
        Assert.Equal(20, answers.Count(location => location.EndsWith("wrong=yes", StringComparison.Ordinal)));
        Assert.Equal(20, answers.Count(location => location.EndsWith("wrong=busy", StringComparison.Ordinal)));
        Assert.Equal(["20"], await system.RowsAsync("select count(*) from rate_limit_log where action = 'admin_sign_in' and ip_address = '127.0.0.31'"));
        Assert.EndsWith("wrong=busy", await LocationAsync("127.0.0.31", "flooded@support.example", password, Code(secret)), StringComparison.Ordinal);
        Assert.True(await SignInAsync("127.0.0.32", "flooded@support.example", password, Code(secret)));
    }

    [Fact]
    public async Task Of_more_attempts_at_once_than_are_hashed_so_many_wait_and_the_rest_are_refused_at_once()
    {
        var signIn = system.Server.Services.GetRequiredService<AdminSignIn>();
        using var gone = new CancellationTokenSource();
        Task<string> first;
        List<Task<string>> others;
        using (var place = await signIn.EnterAsync(isKnown: false, CancellationToken.None))
        {
            Assert.True(place.IsAcquired);
            // The only place is taken: nobody is hashed while this stands.
            first = LocationAsync("127.0.61.0", "waits-0@support.example", "guessing", "123456");
            await Eventually.IsAsync(() => Task.FromResult(signIn.Waiting), waiting => waiting == 1);
            others =
            [
                .. Enumerable
                    .Range(1, AdminSignIn.MaxWaitingAttempts - 1)
                    .Select(n => LocationAsync($"127.0.61.{n}", $"waits-{n}@support.example", "guessing", "123456", gone.Token)),
            ];
            await Eventually.IsAsync(() => Task.FromResult(signIn.Waiting), waiting => waiting == AdminSignIn.MaxWaitingAttempts);
            for (var n = 0; n < 3; n++)
            {
                Assert.EndsWith("wrong=busy", await LocationAsync($"127.0.62.{n}", "refused@support.example", "guessing", "123456"), StringComparison.Ordinal);
            }
            Assert.Equal(AdminSignIn.MaxWaitingAttempts, signIn.Waiting);
            // A browser that an admin has signed in with before has a place of its own.
            using var known = await signIn.EnterAsync(isKnown: true, CancellationToken.None);
            Assert.True(known.IsAcquired);
            // Whoever gives up waits no longer, and is never hashed.
            await gone.CancelAsync();
            await Eventually.IsAsync(() => Task.FromResult(signIn.Waiting), waiting => waiting == 1);
        }
        Assert.EndsWith("wrong=yes", await first, StringComparison.Ordinal);
        foreach (var other in others)
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => other);
        }
        Assert.Equal(0, signIn.Waiting);
        Assert.Equal(
            ["127.0.61.0"],
            await system.RowsAsync("select host(network) from admin_sign_in_failures where network between '127.0.61.0' and '127.0.62.255'")
        );
    }

    [Fact]
    public async Task Nobody_is_locked_like_somebody_so_the_answer_names_no_admin()
    {
        for (var attempt = 0; attempt < MaxFailedAttempts; attempt++)
        {
            Assert.Equal("/admin/sign-in?wrong=yes", await LocationAsync("127.0.0.41", "nobody@support.example", "guessing", "123456"));
        }
        Assert.Equal(["True"], await system.RowsAsync("select locked_until > now() from admin_sign_in_failures where network = '127.0.0.41'"));
    }

    [Fact]
    public async Task Where_the_console_has_no_name_there_are_no_passkeys()
    {
        using var visitor = new ConsoleVisitor(system.Url, "127.0.0.51");
        Assert.Equal(HttpStatusCode.NotFound, (await visitor.PostAsync("/admin/passkey/challenge", new System.Text.Json.Nodes.JsonObject())).Status);
        using var http = new HttpClient();
        Assert.DoesNotContain("data-passkey", await http.GetStringAsync(system.Url + "/admin/sign-in"), StringComparison.Ordinal);
    }

    private async Task<(string Password, string Secret)> CreateAsync(string email)
    {
        var admin = await system.NewAdminAsync(email);
        return (admin.Password, admin.TotpSecret);
    }

    private static string Code(string secret) => new Totp(Base32Encoding.ToBytes(secret)).ComputeTotp();

    private async Task<bool> SignInAsync(string from, string email, string password, string code) =>
        await LocationAsync(from, email, password, code) == "/admin";

    /// <summary>Fills in the form from an address of this machine and answers where it leads.</summary>
    private async Task<string> LocationAsync(string from, string email, string password, string code, CancellationToken cancellationToken = default)
    {
        using var http = new HttpClient(
            new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                ConnectCallback = async (context, cancellationToken) =>
                {
                    var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                    socket.Bind(new IPEndPoint(IPAddress.Parse(from), 0));
                    await socket.ConnectAsync(IPAddress.Loopback, context.DnsEndPoint.Port, cancellationToken);
                    return new NetworkStream(socket, ownsSocket: true);
                },
            }
        )
        {
            BaseAddress = new Uri(system.Url),
            Timeout = Patience.Span,
        };
        var page = await http.GetStringAsync("/admin/sign-in", cancellationToken);
        using var answer = await http.PostAsync(
            "/admin/session",
            new FormUrlEncodedContent(
                new Dictionary<string, string>
                {
                    ["__RequestVerificationToken"] = Token().Match(page).Groups[1].Value,
                    ["email"] = email,
                    ["password"] = password,
                    ["code"] = code,
                }
            ),
            cancellationToken
        );
        return answer.Headers.Location?.ToString() ?? $"{(int)answer.StatusCode}";
    }

    [GeneratedRegex("name=\"__RequestVerificationToken\" value=\"([^\"]+)\"")]
    private static partial Regex Token();
}
