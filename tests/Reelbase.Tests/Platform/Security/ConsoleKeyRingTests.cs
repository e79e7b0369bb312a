using System.Security.Cryptography;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.DependencyInjection;
using Reelbase.Server.Platform.Security;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Platform;

/// <summary>What opens a cookie of the console.</summary>
[Quick]
public sealed class ConsoleKeyRingTests
{
    private const string Secret = "a secret of the installation that every node has";

    [Fact]
    public async Task A_node_opens_what_another_sealed_and_nothing_changed_or_foreign()
    {
        await using var one = NewNode(Secret);
        await using var other = NewNode(Secret);
        await using var foreign = NewNode("a secret of another installation, and as long");
        var box = Protector(one).Protect([1, 2, 3]);
        Assert.Equal([1, 2, 3], Protector(other).Unprotect(box));
        Assert.NotEqual(box, Protector(one).Protect([1, 2, 3]));
        Assert.ThrowsAny<CryptographicException>(() => Protector(foreign).Unprotect(box));
        Assert.ThrowsAny<CryptographicException>(() => Protector(other, "another purpose").Unprotect(box));
        Assert.ThrowsAny<CryptographicException>(() => Protector(other).CreateProtector("a part of it").Unprotect(box));
        for (var index = 0; index < box.Length; index++)
        {
            var changed = (byte[])box.Clone();
            changed[index] ^= 1;
            Assert.ThrowsAny<CryptographicException>(() => Protector(other).Unprotect(changed));
        }
    }

    private static IDataProtector Protector(ServiceProvider node, string purpose = "a purpose") =>
        node.GetRequiredService<IDataProtectionProvider>().CreateProtector(purpose);

    private static ServiceProvider NewNode(string secret)
    {
        var services = new ServiceCollection();
        using var signing = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        services.AddSingleton(
            Keys.Load(new SecurityOptions { SigningKey = signing.ExportPkcs8PrivateKeyPem(), TokenSecret = secret }, TestCluster.Home, mayCreate: false)
        );
        ConsoleKeyRing.Add(services);
        return services.BuildServiceProvider();
    }
}
