using System.Security.Cryptography;
using Reelbase.Simulators;
using Reelbase.Simulators.Phone;

if (args is ["phone", var server, ..])
{
    return await PhoneStory.TellAsync(server, "A paper boat drifting over a quiet lake at dawn");
}
if (args is ["key"])
{
    // A throw-away key in the form that Apple hands out, for a server that talks to the DeviceCheck simulator.
    using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    Console.WriteLine(key.ExportPkcs8PrivateKeyPem());
    return 0;
}
await SimulatorApp.Build(args).RunAsync();
return 0;
