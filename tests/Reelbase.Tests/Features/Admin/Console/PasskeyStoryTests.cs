using Microsoft.Playwright;

namespace Reelbase.Tests.Console;

/// <summary>A passkey in a real browser, with the authenticator that Chromium pretends to have.</summary>
[Trait("Needs", "chromium")]
public sealed class PasskeyStoryTests(PasskeyStoryTests.Installation system) : IClassFixture<PasskeyStoryTests.Installation>
{
    /// <summary>The installation whose console is called localhost: browsers make passkeys for names, and for this one without TLS.</summary>
    public sealed class Installation : ConsoleSystem
    {
        protected override bool HasMediaTools => false;

        public string Named => Url.Replace("127.0.0.1", "localhost", StringComparison.Ordinal);

        protected override Dictionary<string, string?> Settings => new(base.Settings) { ["Admin:PublicUrl"] = Named };
    }

    [Fact]
    public async Task An_admin_makes_a_passkey_in_the_console_signs_in_with_it_and_removes_it()
    {
        var page = await system.OpenAsync();
        var devices = await page.Context.NewCDPSessionAsync(page);
        await devices.SendAsync("WebAuthn.enable");
        await devices.SendAsync(
            "WebAuthn.addVirtualAuthenticator",
            new()
            {
                ["options"] = new
                {
                    protocol = "ctap2",
                    transport = "internal",
                    hasResidentKey = true,
                    hasUserVerification = true,
                    isUserVerified = true,
                    automaticPresenceSimulation = true,
                },
            }
        );
        await page.GotoAsync(system.Named + "/admin/sign-in");
        await page.FillAsync("#email", ConsoleSystem.Email);
        await page.FillAsync("#password", system.Password);
        await page.FillAsync("#code", await system.CodeAsync(ConsoleSystem.Email, system.TotpSecret));
        await page.ClickAsync("button[type=submit]");
        await page.GetByRole(AriaRole.Link, new() { Name = "Passkeys" }).ClickAsync();
        await page.GetByLabel("Name of the passkey").FillAsync("this laptop");
        await page.GetByRole(AriaRole.Button, new() { Name = "Add a passkey" }).ClickAsync();
        var row = page.GetByRole(AriaRole.Row).Filter(new() { HasText = "this laptop" });
        await ConsoleSystem.Expect(row).ToBeVisibleAsync();
        await page.GetByLabel("Sign out").ClickAsync();
        await ConsoleSystem.Expect(page).ToHaveURLAsync(system.Named + "/admin/sign-in");
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in with a passkey" }).ClickAsync();
        await ConsoleSystem.Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Overview", Level = 1 })).ToBeVisibleAsync();
        await page.GotoAsync(system.Named + "/admin/passkeys");
        await row.GetByRole(AriaRole.Button, new() { Name = "Remove the passkey" }).ClickAsync();
        await ConsoleSystem.ActAsync(page, "Remove the passkey", "a new laptop");
        await ConsoleSystem.Expect(page.GetByText("You have no passkeys.")).ToBeVisibleAsync();
        await page.GetByLabel("Sign out").ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in with a passkey" }).ClickAsync();
        await ConsoleSystem.Expect(page.GetByRole(AriaRole.Alert)).ToBeVisibleAsync();
    }
}
