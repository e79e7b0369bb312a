using System.Security.Cryptography;
using Reelbase.Simulators;
using Reelbase.Simulators.Phone;

if (args is ["phone", var server, var simulators])
{
    return await PhoneStory.TellAsync(server, simulators, "A paper boat drifting over a quiet lake at dawn");
}
if (args is ["key"])
{
    // A throw-away key in the form that Apple hands out, for a server that talks to the DeviceCheck simulator.
    using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    Console.WriteLine(key.ExportPkcs8PrivateKeyPem());
    return 0;
}
if (args is ["apple", var directory])
{
    // Pretend Apple's certificates, which the server has to know before it starts: prints the SHA-256 of their root.
    var authority = Reelbase.Simulators.Apple.AppleAuthority.Open(directory);
    Console.WriteLine(Convert.ToHexString(SHA256.HashData(authority.Root.RawData)));
    return 0;
}
await SimulatorApp.Build(args).RunAsync();
return 0;
