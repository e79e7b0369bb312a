using System.Collections.Concurrent;
using Microsoft.Playwright;
using Reelbase.Tests.Support;
using static Reelbase.Tests.Console.ConsoleSystem;

namespace Reelbase.Tests.Console;

/// <summary>The console in a real browser, in Production, on a sub-path of a host with others, behind the real nginx.</summary>
[Trait("Needs", "chromium")]
[Trait("Needs", "proxies")]
public sealed class SubPathTests(SubPathTests.Installation system) : IClassFixture<SubPathTests.Installation>
{
    [Fact]
    public async Task An_admin_signs_in_opens_pages_and_leaves_and_nothing_asks_for_the_root()
    {
        await using var node = system.BuildServer(
            new()
            {
                ["Server:PublicUrl"] = "https://example.com/reelbase",
                ["Server:PathBase"] = "/reelbase",
                ["Server:AllowedHosts:0"] = "localhost",
                ["Server:TrustedProxies:0"] = "127.0.0.1",
                ["Server:Roles:1"] = "admin",
            },
            "Production"
        );
        await node.StartAsync();
        await using var proxy = await Support.Proxy.ExampleAsync(
            "nginx/sub-path.conf",
            "https://example.com/reelbase",
            ("127.0.0.1:8080", new Uri(TestSystem.AddressOf(node)).Authority)
        );
        var root = $"https://localhost:{proxy.SecurePort}/reelbase";
        var page = await system.OpenAsync();
        var asked = new ConcurrentBag<string>();
        page.Request += (_, request) => asked.Add(request.Url);
        page.WebSocket += (_, socket) => asked.Add(socket.Url.Replace("wss:", "https:", StringComparison.Ordinal));
        await page.GotoAsync(root + "/admin");
        await page.FillAsync("#email", Email);
        await page.FillAsync("#password", system.Password);
        await page.FillAsync("#code", await system.CodeAsync(Email, system.TotpSecret));
        await page.ClickAsync("button[type=submit]");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Overview", Level = 1 })).ToBeVisibleAsync();
        await Expect(page).ToHaveURLAsync(root + "/admin");
        await page.GetByRole(AriaRole.Link, new() { Name = "Users" }).ClickAsync();
        await Expect(page).ToHaveURLAsync(root + "/admin/users");
        await page.GetByRole(AriaRole.Link, new() { Name = Email }).Or(page.GetByText(Email)).First.WaitForAsync();
        Assert.All(await page.Context.CookiesAsync(), cookie => Assert.Equal(("/reelbase", true), (cookie.Path, cookie.Secure)));
        await page.GetByLabel("Sign out").ClickAsync();
        await Expect(page).ToHaveURLAsync(root + "/admin/sign-in");
        await page.GotoAsync(root + "/docs");
        await Expect(page.GetByText("Delete the caller's account, files and personal data").First).ToBeAttachedAsync();
        Assert.Contains(asked, url => url.Contains("/_blazor", StringComparison.Ordinal));
        Assert.All(
            asked.Where(url => !url.StartsWith("data:", StringComparison.Ordinal) && !url.StartsWith("blob:", StringComparison.Ordinal)),
            url => Assert.StartsWith(root + "/", url, StringComparison.Ordinal)
        );
        await node.StopAsync();
    }

    public sealed class Installation : ConsoleSystem
    {
        protected override bool HasMediaTools => false;
    }
}
